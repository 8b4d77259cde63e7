-- A foreign key between two customer-owned tables carries customer_id, so that a row cannot point into another customer.
-- broken by: alter table public.devices add constraint loose_end unique (id); alter table public.tickets add column other_device_id uuid references public.devices (id)
-- seen as: public.tickets
with owned as (
  select c.oid, a.attnum
  from pg_catalog.pg_class c
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'customer_id' and a.attnotnull
)
select k.conrelid::regclass::text as subject, format('foreign key %s does not carry customer_id', k.conname) as fault
from pg_catalog.pg_constraint k
join owned child on child.oid = k.conrelid
join owned parent on parent.oid = k.confrelid
where k.contype = 'f'
  and not exists (
    select from unnest(k.conkey, k.confkey) as pair (child_column, parent_column)
    where pair.child_column = child.attnum and pair.parent_column = parent.attnum)
