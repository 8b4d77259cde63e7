-- Tenants of which a part ($2) was read completely so short a time ago that a scheduled run at $3 does not read it again, over all customers (role system:
-- keys and times only).
select t.customer_id, t.external_id
from public.tenants t join public.tenant_parts a on a.customer_id = t.customer_id and a.tenant_id = t.id
where t.integration_id = $1 and t.missing_since is null and a.part = $2 and a.spare_until > $3
