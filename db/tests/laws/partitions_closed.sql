-- A partition is reached through its parent only: nothing is granted on it, and it has no policy but the owner's.
-- broken by: grant select on audit.log_default to staff
-- seen as: audit.log_default
-- broken by: create policy loose_end on audit.log_default for select to staff using (true)
-- seen as: audit.log_default
select format('%s.%s', n.nspname, c.relname) as subject, format('%s is granted to %s', g.privilege_type, g.grantee::regrole) as fault
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) g
where c.relispartition and c.relkind in ('r', 'p') and g.grantee <> c.relowner
union all
select format('%s.%s', n.nspname, c.relname), format('has the policy %s', p.polname)
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_policy p on p.polrelid = c.oid
where c.relispartition and p.polroles <> array['owner'::regrole::oid]
