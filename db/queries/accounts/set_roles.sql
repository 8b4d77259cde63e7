-- The roles of a tenant's accounts are those of $3 and no others.
with input as (
  select i.external_id, i.roles from jsonb_to_recordset($3::jsonb) as i (external_id text, roles text[])
), due as (
  select p.id, coalesce(i.roles, '{}') as roles
  from public.tenant_people p left join input i on i.external_id = p.external_id
  where p.customer_id = $1 and p.tenant_id = $2 and p.missing_since is null and p.roles is distinct from coalesce(i.roles, '{}')
)
update public.tenant_people p set roles = d.roles, is_admin = d.roles <> '{}' from due d where p.customer_id = $1 and p.id = d.id
