-- What the outcomes of one tenant follow from, but for its accounts.
select t.external_id, t.has_premium, t.security_defaults,
  (select coalesce(jsonb_object_agg(a.part, jsonb_build_object('state', a.state, 'reason', a.reason, 'observed_at', a.observed_at)), '{}')
     from public.tenant_parts a where a.customer_id = $1 and a.tenant_id = $2) as parts,
  (select coalesce(jsonb_agg(p.raw order by p.external_id), '[]') from public.access_policies p
     where p.customer_id = $1 and p.tenant_id = $2 and p.missing_since is null) as policies,
  (select f.facts from public.access_facts f where f.customer_id = $1 and f.tenant_id = $2 and f.kind = 'named_locations') as named_locations,
  (select f.facts from public.access_facts f where f.customer_id = $1 and f.tenant_id = $2 and f.kind = 'roles') as roles,
  (select f.facts from public.access_facts f where f.customer_id = $1 and f.tenant_id = $2 and f.kind = 'groups') as groups
from public.tenants t where t.customer_id = $1 and t.id = $2 and t.missing_since is null
