-- Cluster-wide roles. Run by an administrative login before the migrations; idempotent; also runs under plain `psql -f`.
do $$
declare name text;
begin
  foreach name in array array['owner', 'anon', 'authenticated', 'staff', 'worker', 'system', 'service_role'] loop
    if not exists (select from pg_catalog.pg_roles where rolname = name) then
      execute format('create role %I nologin noinherit', name);
    end if;
  end loop;
  if not exists (select from pg_catalog.pg_roles where rolname = 'authenticator') then
    create role authenticator login noinherit;
  end if;
end $$;

grant anon, authenticated, staff, worker, system, service_role to authenticator;

-- Who reads the change feed for /realtime/v1, through definer functions only (replication.sql). Making it needs a superuser, or a
-- login that has the attribute itself; without it the product runs, and `obera doctor` says what is missing.
do $$
begin
  if not exists (select from pg_catalog.pg_roles where rolname = 'replicator') then
    create role replicator nologin noinherit replication;
  end if;
exception when insufficient_privilege then
  raise notice 'the role replicator could not be made: %', sqlerrm;
end $$;
