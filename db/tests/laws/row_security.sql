-- Row-level security is enabled and forced on every table, partitions included.
-- broken by: create table public.loose_ends (id uuid primary key)
-- seen as: public.loose_ends
-- broken by: alter table public.tickets no force row level security
-- seen as: public.tickets
select format('%s.%s', n.nspname, c.relname) as subject,
       case when c.relrowsecurity then 'row-level security is not forced' else 'row-level security is off' end as fault
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not (c.relrowsecurity and c.relforcerowsecurity)
