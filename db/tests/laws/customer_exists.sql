-- Rows of a customer go with the customer: each customer-owned table has a foreign key that carries customer_id.
-- Not the audit chains: they outlive the customer, and the provider's own chain has the all-zero id.
-- broken by: create table public.loose_ends (customer_id uuid not null primary key)
-- seen as: public.loose_ends
select format('%s.%s', n.nspname, c.relname) as subject, 'customer_id is in no foreign key' as fault
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'customer_id' and a.attnotnull
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'audit')
  and not exists (select from pg_catalog.pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and a.attnum = any (k.conkey))
