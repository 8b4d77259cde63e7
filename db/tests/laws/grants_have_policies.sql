-- A verb that is granted has a policy that says which rows: a grant without one is a promise that never holds.
-- broken by: grant delete on public.tickets to staff
-- seen as: public.tickets
-- broken by: grant update (outcome) on public.evidence to authenticated
-- seen as: public.evidence
with granted as (
  select c.oid, format('%s.%s', n.nspname, c.relname) as subject, g.grantee, g.privilege_type as verb
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) g
  where c.relkind in ('r', 'p') and g.grantee <> c.relowner
  union
  select c.oid, format('%s.%s', n.nspname, c.relname), g.grantee, g.privilege_type
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace, aclexplode(a.attacl) g
  where c.relkind in ('r', 'p')
)
select g.subject, format('%s is granted to %s without a policy', lower(g.verb), g.grantee::regrole) as fault
from granted g
where g.subject !~ '^(pg_|information_schema)'
  and not exists (
    select from pg_catalog.pg_policy p
    where p.polrelid = g.oid and p.polpermissive and g.grantee = any (p.polroles)
      and p.polcmd in ('*', case g.verb when 'SELECT' then 'r' when 'INSERT' then 'a' when 'UPDATE' then 'w' when 'DELETE' then 'd' end))
