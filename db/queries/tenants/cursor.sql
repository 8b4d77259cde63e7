-- The link for what changed in a part ($3) of a tenant since it was read whole; none: it is to be read whole.
select link from public.tenant_cursors where customer_id = $1 and tenant_id = $2 and part = $3
