-- Who is not signed in has nothing but the name of the schema public.
-- broken by: grant select on public.customers to anon
-- seen as: public.customers
-- broken by: grant select (name) on public.customers to anon
-- seen as: public.customers.name
-- broken by: grant execute on function app.has(text) to anon
-- seen as: app.has
-- broken by: grant usage on schema app to anon
-- seen as: app
-- broken by: create policy loose_end on public.customers for select to anon using (true)
-- seen as: public.customers
-- broken by: grant staff to anon
-- seen as: staff
select n.nspname as subject, format('%s to anon', g.privilege_type) as fault
from pg_catalog.pg_namespace n, aclexplode(n.nspacl) g
where g.grantee = 'anon'::regrole and (n.nspname, g.privilege_type) <> ('public', 'USAGE')
union all
select format('%s.%s', n.nspname, c.relname), format('%s to anon', g.privilege_type)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) g
where g.grantee = 'anon'::regrole
union all
select format('%s.%s.%s', n.nspname, c.relname, a.attname), format('%s to anon', g.privilege_type)
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace, aclexplode(a.attacl) g
where g.grantee = 'anon'::regrole
union all
select format('%s.%s', n.nspname, p.proname), 'EXECUTE to anon'
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace, aclexplode(p.proacl) g
where g.grantee = 'anon'::regrole
union all
select format('%s.%s', schemaname, tablename), format('policy %s is for anon', policyname) from pg_catalog.pg_policies where 'anon' = any (roles)
union all
select m.roleid::regrole::text, 'anon is a member of it' from pg_catalog.pg_auth_members m where m.member = 'anon'::regrole
