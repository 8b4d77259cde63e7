-- Of these, the tenants that the caller may see.
select t.customer_id, t.id, t.name from public.cipp_tenants t where t.id = any ($1::uuid[]) and t.missing_since is null
