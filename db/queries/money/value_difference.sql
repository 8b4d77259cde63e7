-- What it came to so far and what binds it, on the day of the comparison: derived, and another every day, so no change of the difference.
update public.count_differences d
set money_since = i.money_since, money_so_far = i.money_so_far, committed_until = i.committed_until, committed_quantity = i.committed_quantity, committed_by = i.committed_by,
    committed_money = i.committed_money
from jsonb_to_record($3::jsonb) as i (money_since timestamptz, money_so_far numeric, committed_until timestamptz, committed_quantity numeric, committed_by text, committed_money numeric)
where d.customer_id = $1 and d.id = $2 and d.state <> 'closed'
