-- The licenses of the accounts $3 are those of $4 and no others.
with held as (
  select p.id as person_id, i.sku_id, i.assigned_at, i.by_group, i.error
  from jsonb_to_recordset($4::jsonb) as i (external_id text, sku_id uuid, assigned_at timestamptz, by_group boolean, error text)
  join public.tenant_people p on p.customer_id = $1 and p.tenant_id = $2 and p.external_id = i.external_id
), gone as (
  update public.person_licenses l set missing_since = $5
  from public.tenant_people p
  where p.customer_id = $1 and p.tenant_id = $2 and p.external_id = any ($3::text[]) and l.customer_id = $1 and l.person_id = p.id and l.missing_since is null
    and not exists (select from held h where h.person_id = p.id and h.sku_id = l.sku_id)
  returning 1
), kept as (
  insert into public.person_licenses as l (customer_id, person_id, sku_id, assigned_at, by_group, error)
  select $1, h.person_id, h.sku_id, h.assigned_at, h.by_group, h.error from held h
  on conflict (customer_id, person_id, sku_id) do update
    set assigned_at = excluded.assigned_at, by_group = excluded.by_group, error = excluded.error, missing_since = null,
        created_at = case when l.missing_since is null then l.created_at else $5 end
  returning 1
)
select (select count(*) from gone) as gone, (select count(*) from kept) as kept
