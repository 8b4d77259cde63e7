-- Names are snake_case; tables are plural; check constraints read as sentences (three words or more).
-- A mass noun has no plural: evidence, history. The audit log is one log.
-- broken by: create table public.loose_end (id uuid primary key)
-- seen as: public.loose_end
-- broken by: alter table public.tickets add column "looseEnd" text
-- seen as: public.tickets.looseEnd
-- broken by: alter table public.tickets add check (number >= 0)
-- seen as: public.tickets.tickets_number_check
select format('%s.%s', n.nspname, c.relname) as subject, 'a table is named in the plural, in snake_case' as fault
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (c.relname !~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$' or c.relname !~ 's$' and c.relname !~ '(^|_)(evidence|history|log|people)$')
union all
select format('%s.%s.%s', n.nspname, c.relname, a.attname), 'a column is named in snake_case'
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v') and a.attnum > 0 and not a.attisdropped and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and a.attname !~ '^[a-z][a-z0-9]*(_[a-z0-9]+)*$'
union all
select format('%s.%s', k.conrelid::regclass, k.conname), 'a check constraint is named as a sentence'
from pg_catalog.pg_constraint k
join pg_catalog.pg_namespace n on n.oid = k.connamespace
where k.contype = 'c' and k.conparentid = 0 and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (k.conname !~ '^[a-z0-9]+(_[a-z0-9]+){2,}$' or k.conname ~ '_check\d*$')
