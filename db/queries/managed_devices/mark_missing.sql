-- Only from a confirmed disappearance.
update public.managed_devices set missing_since = $4
where customer_id = $1 and tenant_id = $2 and external_id = any ($3::text[]) and missing_since is null
