-- How long things are kept.
--
-- Tables that are kept in partitions: from the present one to `ahead`; one that ended more than `kept` ago is dropped whole. Null: never.
create or replace function app.partitioned() returns table (parent regclass, time_column text, unit text, ahead integer, kept integer)
language sql stable set search_path = '' as $$
  values ('audit.log'::regclass, 'at', 'month', 2, null::integer),
         ('audit.access', 'minute', 'month', 2, 3),
         ('public.object_changes', 'at', 'month', 2, 13),
         ('realtime.messages', 'inserted_at', 'day', 3, 3)
$$;
comment on function app.partitioned() is 'The tables that app.maintain_partitions keeps.';

create or replace function app.maintain_partitions() returns integer
language plpgsql security definer set search_path = '' as $$
declare
  of record;
  part record;
  suffix text;
  one interval;
  this timestamp;
  made integer := 0;
begin
  for of in select p.*, c.relname, n.nspname, substring(obj_description(c.oid, 'pg_class') from 'Owner: .*$') as ends
      from app.partitioned() p join pg_catalog.pg_class c on c.oid = p.parent join pg_catalog.pg_namespace n on n.oid = c.relnamespace loop
    suffix := case of.unit when 'day' then 'YYYY_MM_DD' else 'YYYY_MM' end;
    one := ('1 ' || of.unit)::interval;
    this := date_trunc(of.unit, now() at time zone 'utc');
    for step in 0 .. of.ahead loop
      made := made + app.add_partition(of.parent, to_char(this + step * one, suffix), of.time_column, (this + step * one) at time zone 'utc',
        (this + (step + 1) * one) at time zone 'utc', format('One %s of %s. %s', of.unit, of.parent, of.ends));
    end loop;
    continue when of.kept is null;
    for part in select c.relname from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
        where i.inhparent = of.parent and c.relname ~ ('^' || of.relname || '_\d[\d_]+$') loop
      if to_date(substr(part.relname, length(of.relname) + 2), suffix) < this - of.kept * one then
        execute format('drop table %I.%I', of.nspname, part.relname);
      end if;
    end loop;
    -- What strayed into the default one.
    execute format('delete from %s_default d where d.%I < %L', of.parent, of.time_column, (this - of.kept * one) at time zone 'utc');
  end loop;
  return made;
end $$;
comment on function app.maintain_partitions() is 'Definer: makes and drops partitions, which only the owner may.';
revoke all on function app.partitioned(), app.maintain_partitions() from public;
grant execute on function app.maintain_partitions() to system;
