-- Money is numeric(14,2), never a float, and its table says the currency.
-- broken by: alter table public.tickets add column price double precision, add column currency text
-- seen as: public.tickets.price
-- broken by: alter table public.tickets add column amount numeric(14,2)
-- seen as: public.tickets.amount
with amounts as (
  select c.oid, format('%s.%s.%s', n.nspname, c.relname, a.attname) as subject, format_type(a.atttypid, a.atttypmod) as type
  from pg_catalog.pg_attribute a
  join pg_catalog.pg_class c on c.oid = a.attrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and a.attname ~ '(^|_)(amount|price|cost|fee|revenue|balance|subtotal|money)(_|$)'
)
select subject, format('is money of the type %s: use numeric(14,2)', type) as fault from amounts where type <> 'numeric(14,2)'
union all
select m.subject, 'its table has no currency column' from amounts m
where not exists (select from pg_catalog.pg_attribute a where a.attrelid = m.oid and a.attname ~ '(^|_)currency$' and not a.attisdropped)
