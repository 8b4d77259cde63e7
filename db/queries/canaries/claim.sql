-- Mapped tenants whose turn it is ($2: not asked since), those that wait longest first, whosever they are; their turn is taken with it.
with due as (
  select o.integration_id, o.external_id, o.customer_id, o.name, i.vendor, i.name as integration_name
  from public.integration_organizations o
  join public.integrations i on i.id = o.integration_id and i.enabled and i.vendor in ('microsoft', 'cipp', 'sharepoint')
  left join public.tenant_canaries c on c.integration_id = o.integration_id and c.external_id = o.external_id and c.class = 'access'
  where o.customer_id is not null and o.missing_since is null and (c.attempted_at is null or c.attempted_at <= $2)
  order by c.attempted_at nulls first, o.external_id, o.integration_id limit $3
  for update of o skip locked
), taken as (
  insert into public.tenant_canaries (integration_id, external_id, class, attempted_at) select d.integration_id, d.external_id, 'access', $1::timestamptz from due d
  on conflict (integration_id, external_id, class) do update set attempted_at = excluded.attempted_at
)
select integration_id, external_id, customer_id, name, vendor, integration_name from due
