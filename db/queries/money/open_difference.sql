insert into public.count_differences (customer_id, id, rule_id, product_id, line_id, counted, billed, difference, direction, rate, rate_source, money_per_month, currency,
  cause, cause_text, first_seen_at, last_seen_at, devices_observed_at, lines_observed_at, reconciliation_id)
select $1, $2, $3, i.product_id, i.line_id, i.counted, i.billed, i.difference, i.direction, i.rate, i.rate_source, i.money_per_month, i.currency, i.cause, i.cause_text, $5, $5, $6, $7, $8
from jsonb_to_record($4::jsonb) as i (product_id uuid, line_id uuid, counted numeric, billed numeric, difference numeric, direction text, rate numeric, rate_source text,
  money_per_month numeric, currency text, cause jsonb, cause_text text)
