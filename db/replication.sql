-- The change feed's own functions: a temporary logical slot, read in small pieces. Run by an administrative login inside the
-- database, after roles.sql and before the migrations; idempotent. Without the role `replicator` (a login that may not make it,
-- as on some hosted servers) nothing is made here, and the product runs without the change feed; `obera doctor` says so.
do $make$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'replicator' and rolreplication) then
    return;
  end if;
  create schema if not exists replication authorization replicator;
  comment on schema replication is 'Reads the change feed: definer functions of the role replicator, and nothing else.';

  -- One temporary slot per connection: it ends with its connection, and never holds back the log of a node that died.
  create or replace function replication.open_feed() returns void
  language plpgsql security definer set search_path = '' as $$
  begin
    perform pg_catalog.pg_create_logical_replication_slot(pg_catalog.format('obera_feed_%s', pg_catalog.pg_backend_pid()), 'pgoutput', true);
  end $$;

  -- The next whole transactions, up to about so many changes. Values are written in one form, whatever the server's settings.
  create or replace function replication.read_feed(changes_max integer) returns table (data bytea)
  language plpgsql security definer set search_path = '' set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres'
    set bytea_output = 'hex' set extra_float_digits = 1 as $$
  begin
    return query select c.data from pg_catalog.pg_logical_slot_get_binary_changes(
      pg_catalog.format('obera_feed_%s', pg_catalog.pg_backend_pid()), null, changes_max,
      'proto_version', '1', 'publication_names', 'obera_realtime') c;
  end $$;

  -- Reading begins at the last record of running transactions, which PostgreSQL writes every 15 seconds. This writes one now, so
  -- that a busy feed does not read the same log again and again. Before PostgreSQL 16 only the making of a slot writes one.
  create or replace function replication.mark_feed() returns void
  language plpgsql security definer set search_path = '' as $$
  declare
    slot constant text := pg_catalog.format('obera_mark_%s', pg_catalog.pg_backend_pid());
  begin
    if pg_catalog.has_function_privilege(pg_catalog.to_regprocedure('pg_catalog.pg_log_standby_snapshot()'), 'execute') then
      execute 'select pg_catalog.pg_log_standby_snapshot()';
      return;
    end if;
    perform pg_catalog.pg_create_logical_replication_slot(slot, 'pgoutput', true);
    perform pg_catalog.pg_drop_replication_slot(slot);
  end $$;

  comment on function replication.open_feed() is 'Definer: only a role with the attribute replication may make a slot.';
  comment on function replication.read_feed(integer) is 'Definer: only a role with the attribute replication may read a slot.';
  comment on function replication.mark_feed() is 'Definer: only a role with the attribute replication may make a slot.';
  alter function replication.open_feed() owner to replicator;
  alter function replication.read_feed(integer) owner to replicator;
  alter function replication.mark_feed() owner to replicator;
  revoke all on function replication.open_feed(), replication.read_feed(integer), replication.mark_feed() from public;
  grant usage on schema replication to system;
  grant execute on function replication.open_feed(), replication.read_feed(integer), replication.mark_feed() to system;
  if to_regprocedure('pg_catalog.pg_log_standby_snapshot()') is not null then
    execute 'grant execute on function pg_catalog.pg_log_standby_snapshot() to replicator';
  end if;
exception when insufficient_privilege then
  raise notice 'the change feed was not set up: %', sqlerrm;
end $make$;
