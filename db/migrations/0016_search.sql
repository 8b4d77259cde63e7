-- What the search boxes look for, found by parts of words over all customers: trigram indexes, from PostgreSQL's own extension pg_trgm.
-- Only these indexes call its functions, so that its schema is the owner's alone.
create schema search authorization owner;
comment on schema search is 'The extension pg_trgm, for the indexes of searches. Nobody but the owner may use it.';

do $$
declare
  -- An installation that has the extension already keeps it where it is.
  home name := (select n.nspname from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_trgm');
begin
  if home is null then
    begin
      create extension pg_trgm schema search;
      home := 'search';
    exception
      when undefined_file or feature_not_supported then
        raise exception 'the extension pg_trgm is missing on the database server (%); install PostgreSQL''s contrib modules there (Debian: apt-get install postgresql-contrib) and migrate again', sqlerrm;
      when insufficient_privilege then
        raise exception 'the extension pg_trgm may not be created here (%); let an administrator of the database run "create extension pg_trgm", then migrate again', sqlerrm;
    end;
  end if;
  -- One text per row, so that one index serves all that a search box looks into. db/rules/81_search.sql asks with the same expressions.
  execute format($sql$
    create index devices_search on public.devices
      using gin (lower(name || E'\n' || coalesce(serial_number, '') || E'\n' || coalesce(last_user, '')) %1$I.gin_trgm_ops);
    create index tickets_search on public.tickets using gin (lower(subject || E'\n-' || number::text) %1$I.gin_trgm_ops)$sql$, home);
end $$;

-- What was found is fetched by its id alone, as is a record whose address names no customer.
create index devices_id on public.devices (id);
create index tickets_id on public.tickets (id);
