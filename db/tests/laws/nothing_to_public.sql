-- Nothing is granted to PUBLIC: no schema, table, column, sequence or function. An extension's functions keep what they came with: they are in
-- a schema that nobody but the owner may use.
-- broken by: grant select on public.tickets to public
-- seen as: public.tickets
-- broken by: grant update (subject) on public.tickets to public
-- seen as: public.tickets.subject
-- broken by: grant execute on function app.has(text) to public
-- seen as: app.has
-- broken by: grant create on schema public to public
-- seen as: public
-- broken by: grant usage on schema search to staff
-- seen as: search
select n.nspname as subject, format('%s to PUBLIC', g.privilege_type) as fault
from pg_catalog.pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) g
where g.grantee = 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select format('%s.%s', n.nspname, c.relname), format('%s to PUBLIC', g.privilege_type)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) g
where g.grantee = 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select format('%s.%s.%s', n.nspname, c.relname, a.attname), format('%s to PUBLIC', g.privilege_type)
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace, aclexplode(a.attacl) g
where g.grantee = 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
union all
select format('%s.%s', n.nspname, p.proname), 'EXECUTE to PUBLIC'
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
where g.grantee = 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
union all
select n.nspname, format('is open to %s, and an extension is in it', pg_get_userbyid(g.grantee))
from pg_catalog.pg_extension e
join pg_catalog.pg_namespace n on n.oid = e.extnamespace, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) g
where n.nspname !~ '^pg_' and g.grantee <> n.nspowner
