-- Every schema, table and view says what it is; a table's comment also names its owner and its retention.
-- broken by: create table public.loose_ends (id uuid primary key)
-- seen as: public.loose_ends
-- broken by: comment on table public.tickets is 'Tickets.'
-- seen as: public.tickets
-- broken by: create view public.loose_views with (security_invoker = true) as select 1 as one
-- seen as: public.loose_views
-- broken by: create schema loose
-- seen as: loose
select format('%s.%s', n.nspname, c.relname) as subject,
       case when obj_description(c.oid, 'pg_class') is null then 'has no comment' else 'the comment lacks "Owner: … Retention: …"' end as fault
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (obj_description(c.oid, 'pg_class') is null
    or c.relkind <> 'v' and obj_description(c.oid, 'pg_class') !~ ' Owner: [^.]+\. Retention: [^.]+\.$')
union all
select n.nspname, 'has no comment'
from pg_catalog.pg_namespace n
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and obj_description(n.oid, 'pg_namespace') is null
