-- The same difference with other numbers or another cause: it keeps its age.
update public.count_differences d
set line_id = i.line_id, counted = i.counted, billed = i.billed, difference = i.difference, direction = i.direction, rate = i.rate, rate_source = i.rate_source,
    money_per_month = i.money_per_month, currency = i.currency, cause = i.cause, cause_text = i.cause_text
from jsonb_to_record($3::jsonb) as i (line_id uuid, counted numeric, billed numeric, difference numeric, direction text, rate numeric, rate_source text,
  money_per_month numeric, currency text, cause jsonb, cause_text text)
where d.customer_id = $1 and d.id = $2 and d.state <> 'closed'
