-- No role but the server's own first login ignores row-level security.
-- broken by: create role loose_end bypassrls
-- seen as: loose_end
select rolname as subject, 'ignores row-level security' as fault
from pg_catalog.pg_roles
where (rolbypassrls or rolsuper) and oid <> 10
