-- Rows come without a path: it is joined from the names above. A folder that was renamed moves all below it.
with recursive tree as (
  select d.id, d.external_id, '/' || d.name as path, 1 as depth from public.documents d
  where d.customer_id = $1 and d.drive_id = $2 and d.missing_since is null
    and not exists (select from public.documents p where p.customer_id = $1 and p.drive_id = $2 and p.external_id = d.parent_external)
  union all
  select c.id, c.external_id, t.path || '/' || c.name, t.depth + 1 from tree t
  join public.documents c on c.customer_id = $1 and c.drive_id = $2 and c.parent_external = t.external_id and c.missing_since is null
  where t.depth < 100
)
update public.documents d set path = t.path from tree t where d.customer_id = $1 and d.id = t.id and d.path is distinct from t.path
