-- A table whose rows each belong to a customer has `customer_id uuid not null` first in its primary key.
-- broken by: create table public.loose_ends (id uuid primary key, customer_id uuid not null)
-- seen as: public.loose_ends
-- broken by: create table public.loose_ends (customer_id text not null primary key)
-- seen as: public.loose_ends
select format('%s.%s', n.nspname, c.relname) as subject, 'customer_id uuid does not lead the primary key' as fault
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'customer_id' and a.attnotnull
left join pg_catalog.pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (k.conkey is null or k.conkey[1] <> a.attnum or a.atttypid <> 'uuid'::regtype)
