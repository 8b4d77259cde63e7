-- What it came to so far and what binds it, on the day of the comparison: derived, and another every day, so no change of the difference.
update public.count_differences d
set prorated_since = i.prorated_since, money_so_far = i.money_so_far, committed_until = i.committed_until, committed_quantity = i.committed_quantity, commitment_kind = i.commitment_kind,
    committed_money = i.committed_money
from jsonb_to_record($3::jsonb) as i (prorated_since timestamptz, money_so_far numeric, committed_until timestamptz, committed_quantity numeric, commitment_kind text, committed_money numeric)
where d.customer_id = $1 and d.id = $2 and d.state <> 'closed'
