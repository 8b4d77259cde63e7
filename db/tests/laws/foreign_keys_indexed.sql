-- Every foreign key has an index whose leading columns are the key's, in any order.
-- broken by: drop index public.tickets_device
-- seen as: public.tickets
-- broken by: alter table public.tickets add column loose_end uuid references auth.users
-- seen as: public.tickets
select k.conrelid::regclass::text as subject, format('foreign key %s has no index', k.conname) as fault
from pg_catalog.pg_constraint k
where k.contype = 'f' and k.conparentid = 0
  and not exists (
    select from pg_catalog.pg_index i
    where i.indrelid = k.conrelid and i.indisvalid and i.indpred is null and i.indexprs is null
      and (select array_agg(column_no order by column_no) from unnest(k.conkey) column_no)
        = (select array_agg(column_no order by column_no)
           from (select i.indkey[place] as column_no from generate_series(0, cardinality(k.conkey) - 1) place) leading_columns))
