-- What two tenants have set ($1, $2: those that the caller may see).
select t.id, t.name, t.customer_id, c.name as customer_name, t.is_excluded, p.observed_at, p.state as part_state, p.reason as part_reason,
  (select coalesce(jsonb_object_agg(s.setting, jsonb_build_object('value', s.value, 'observed_at', s.observed_at)), '{}') from public.tenant_settings s
     where s.customer_id = t.customer_id and s.cipp_tenant_id = t.id and s.missing_since is null and s.is_complete) as settings
from public.cipp_tenants t
join public.customers c on c.id = t.customer_id
left join public.cipp_tenant_parts p on p.customer_id = t.customer_id and p.cipp_tenant_id = t.id and p.part = 'settings'
where t.id = any ($1::uuid[]) and t.missing_since is null
