-- Every table with customer_id has a whole index that starts with it; without one the policies read the whole table.
-- broken by: create table public.loose_ends (id uuid primary key, customer_id uuid)
-- seen as: public.loose_ends
-- broken by: drop index public.notifications_customer
-- seen as: public.notifications
select format('%s.%s', n.nspname, c.relname) as subject, 'no index starts with customer_id' as fault
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'customer_id'
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (
    select from pg_catalog.pg_index i
    where i.indrelid = c.oid and i.indisvalid and i.indpred is null and i.indkey[0] = a.attnum)
