-- No table depends on a replaceable function: a default, check, generated column or index calls only built-in functions and
-- those whose comment says that they are durable (made by a migration, never by db/rules).
-- broken by: create function app.loose_end() returns text language sql immutable as $$ select 'x' $$; alter table public.tickets add column loose text default app.loose_end()
-- seen as: app.loose_end()
-- broken by: create function app.loose_end(t text) returns text language sql immutable as $$ select t $$; create index loose on public.tickets (app.loose_end(subject))
-- seen as: app.loose_end(text)
-- broken by: create function app.loose_end(t text) returns boolean language sql immutable as $$ select true $$; alter table public.tickets add constraint tickets_are_loose_ends check (app.loose_end(subject))
-- seen as: app.loose_end(text)
select p.oid::regprocedure::text as subject, format('is used by %s', pg_describe_object(d.classid, d.objid, d.objsubid)) as fault
from pg_catalog.pg_depend d
join pg_catalog.pg_proc p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where d.classid in ('pg_attrdef'::regclass, 'pg_constraint'::regclass, 'pg_class'::regclass)
  and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and coalesce(obj_description(p.oid, 'pg_proc'), '') !~ '\mdurable\M'
