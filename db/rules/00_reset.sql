-- Everything below is replaced as a whole, so that what a rules file no longer says is gone.
do $$
declare item record;
begin
  for item in select schemaname, tablename, policyname from pg_catalog.pg_policies
              where schemaname in ('public', 'app', 'auth', 'vault', 'flow', 'storage', 'audit', 'realtime') loop
    execute format('drop policy %I on %I.%I', item.policyname, item.schemaname, item.tablename);
  end loop;
  for item in select n.nspname, c.relname, t.tgname from pg_catalog.pg_trigger t
              join pg_catalog.pg_class c on c.oid = t.tgrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
              where not t.tgisinternal and t.tgparentid = 0 and n.nspname in ('public', 'app', 'auth', 'vault', 'flow', 'storage', 'audit', 'realtime') loop
    execute format('drop trigger %I on %I.%I', item.tgname, item.nspname, item.relname);
  end loop;
  for item in select n.nspname, c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
              where c.relkind = 'v' and n.nspname in ('public', 'app') loop
    execute format('drop view if exists %I.%I cascade', item.nspname, item.relname);
  end loop;
  -- What a table stands on (a default such as app.uuid_v7) is durable and stays.
  for item in select p.oid::regprocedure as signature from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
              where n.nspname in ('public', 'app', 'auth', 'vault', 'flow', 'storage', 'audit', 'realtime') loop
    begin
      execute format('drop function %s', item.signature);
    exception when dependent_objects_still_exist then
      null;
    end;
  end loop;
  for item in select n.nspname, c.relname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
              where c.relkind in ('r', 'p') and n.nspname in ('public', 'app', 'auth', 'vault', 'flow', 'storage', 'audit', 'realtime') loop
    execute format('revoke all on %I.%I from public, anon, authenticated, staff, worker, system, service_role', item.nspname, item.relname);
    execute format('alter table %I.%I enable row level security', item.nspname, item.relname);
    execute format('alter table %I.%I force row level security', item.nspname, item.relname);
  end loop;
end $$;

-- A new function is nobody's until it is granted.
alter default privileges revoke execute on functions from public;
revoke all on schema public from public;
grant usage on schema public to anon, authenticated, staff, worker, system, service_role;
grant usage on schema app, flow, storage, realtime to authenticated, staff, worker, system;
grant usage on schema auth, vault, audit to system;
grant usage on schema vault to worker;
grant usage on schema audit to authenticated, staff;
-- Statements are prepared before the transaction takes its role: names must resolve, nothing more.
grant usage on schema public, app, flow, storage, realtime to authenticator;
