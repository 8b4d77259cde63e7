-- Tenants of one customer that are due, locked until the transaction ends; what another process works on is left to it.
select id from public.posture_tenants where customer_id = $1 and due_at <= $2 order by due_at limit $3 for update skip locked
