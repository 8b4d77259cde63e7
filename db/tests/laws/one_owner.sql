-- The role `owner` owns every relation and function (in the schema replication: `replicator`); a definer function never runs as a superuser.
-- What an extension brings is the server's; no definer may be among it.
-- broken by: alter table public.tickets owner to postgres
-- seen as: public.tickets
-- broken by: create function app.loose_end() returns int language sql as 'select 1'
-- seen as: app.loose_end
with things as (
  select c.relnamespace as namespace, c.relname as name, c.relowner as owned_by from pg_catalog.pg_class c where c.relkind in ('r', 'p', 'v', 'S', 'm', 'f')
  union all
  select p.pronamespace, p.proname, p.proowner from pg_catalog.pg_proc p
  where p.prosecdef or not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
)
select format('%s.%s', n.nspname, t.name) as subject, format('is owned by %s', pg_get_userbyid(t.owned_by)) as fault
from things t
join pg_catalog.pg_namespace n on n.oid = t.namespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and pg_get_userbyid(t.owned_by) <> case n.nspname when 'replication' then 'replicator' else 'owner' end
