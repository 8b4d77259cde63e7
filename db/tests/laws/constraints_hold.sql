-- Every constraint was checked against the rows that were there before it.
-- broken by: alter table public.tickets add constraint tickets_are_never_late check (number >= 0) not valid
-- seen as: public.tickets
select k.conrelid::regclass::text as subject, format('constraint %s is not validated', k.conname) as fault
from pg_catalog.pg_constraint k
join pg_catalog.pg_namespace n on n.oid = k.connamespace
where not k.convalidated and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
