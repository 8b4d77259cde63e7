-- The tenant, when nothing complete was known of it since $3 and nobody was told; it is marked as told.
update public.drift_evaluations e set told_at = $4
from public.cipp_tenants t
where e.customer_id = $1 and e.cipp_tenant_id = $2 and t.customer_id = e.customer_id and t.id = e.cipp_tenant_id and not t.is_excluded and t.missing_since is null
  and e.told_at is null and coalesce(e.evaluated_at, e.created_at) < $3
returning t.name, coalesce(e.evaluated_at, e.created_at) as since, e.reason
