-- One drift with its tenant, as a decision and a run need it. `for update`: two clicks take turns.
select d.id, d.cipp_tenant_id, d.setting, coalesce(s.name, d.setting) as setting_name, d.state, d.rule, d.severity, d.actual, d.run_id, d.ticket_id, d.layer_name,
       t.integration_id, t.external_id as tenant_ref, t.name as tenant_name, t.default_domain, t.is_excluded, t.missing_since, c.name as customer_name
from public.drifts d
join public.cipp_tenants t on t.customer_id = d.customer_id and t.id = d.cipp_tenant_id
join public.customers c on c.id = d.customer_id
left join public.standards s on s.setting = d.setting
where d.customer_id = $1 and d.id = $2
for update of d
