-- Null: the denial is taken back.
update public.drifts set denied_at = $3, denied_by = $4, denied_reason = $5 where customer_id = $1 and id = $2 and state not in ('closed', 'remediating')
