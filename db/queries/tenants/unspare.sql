-- Accounts changed: what hangs on them is read again.
update public.tenant_parts set spare_until = null where customer_id = $1 and tenant_id = $2 and spare_until is not null
