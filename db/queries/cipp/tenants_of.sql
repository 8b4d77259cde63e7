-- One customer's tenants at one deployment that are there, with the run in which a part of them ($3) was read last.
select t.id, t.external_id, t.name, t.default_domain, t.is_excluded, t.graph_error_count, t.last_graph_error, p.state, p.reason, p.permission, p.sync_run_id
from public.cipp_tenants t
left join public.cipp_tenant_parts p on p.customer_id = t.customer_id and p.cipp_tenant_id = t.id and p.part = $3
where t.customer_id = $1 and t.integration_id = $2 and t.missing_since is null order by t.external_id
