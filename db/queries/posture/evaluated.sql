-- $4: no connection has the tenant any more.
update public.posture_tenants set due_at = $3, attempted_at = $5, name = coalesce($6, name), missing_since = case when $4 then coalesce(missing_since, $5) end
where customer_id = $1 and id = $2
