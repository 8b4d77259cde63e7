-- Search by parts of words. `like` is not leakproof: under row-level security it is asked of every row, and no index serves it. So a definer
-- finds the keys, by the trigram indexes and only within what its caller may read, and the list views show these rows under the policies
-- as ever. What differs between people is decided first, and what a member asks is asked of rows of their customers only: neither what is found,
-- nor how long it takes, tells of others.
create policy owner_select on public.devices for select to owner using (true);
create policy owner_select on public.customers for select to owner using (true);

-- The pattern of a term: its characters as they are, in lower case, anywhere in a text. Null when there is nothing to look for.
create or replace function app.search_pattern(term text) returns text language sql immutable set search_path = '' as $$
  select '%' || lower(regexp_replace(btrim(term), '([\\%_])', '\\\1', 'g')) || '%' where length(btrim(term)) between 1 and 300
$$;
comment on function app.search_pattern(text) is 'A term as a pattern of `like`; longer terms than any searched text find nothing.';

-- Fetching more rows by their keys takes longer than asking every row of the list; the console then does that.
create or replace function app.search_found_max() returns integer language sql immutable set search_path = '' as $$ select 50000 $$;

create or replace function app.refuse_broad_search(hits integer, noun text, view text) returns void language plpgsql immutable set search_path = '' as $$
begin
  if hits > app.search_found_max() then
    raise exception 'More than % % have this in their words.', app.search_found_max(), noun
      using errcode = 'PT422', hint = format('Search for more of the word, or filter %s.', view);
  end if;
end $$;

-- What is searched of a row: the expressions of the indexes (db/migrations/0016_search.sql), so without settings, that they are taken in.
create or replace function app.device_words(name text, serial_number text, last_user text) returns text language sql immutable as
$$ select lower(name || E'\n' || coalesce(serial_number, '') || E'\n' || coalesce(last_user, '')) $$;
create or replace function app.ticket_words(subject text, number bigint) returns text language sql immutable as
$$ select lower(subject || E'\n-' || number::text) $$;

-- Does the caller read this noun of all customers (staff, by permission), or else of which? For the definers below, who ask as their owner.
create or replace function app.searches_all(permission text) returns boolean language sql stable set search_path = '' as
$$ select current_setting('role') = 'staff' and app.has(permission) $$;
create or replace function app.searches_in(permission text) returns uuid[] language sql stable set search_path = '' as
$$ select case when current_setting('role') = 'authenticated' then app.customers_with(permission) else '{}' end $$;

-- Customers that the caller may read, with a pattern in their name or one in their code. They are few: no index.
create or replace function app.customers_found(name_pattern text, code_pattern text) returns uuid[]
language sql stable set search_path = '' as $$
  with own as materialized (
    select c.id, lower(c.name) as name, lower(c.code) as code from public.customers c
    where (select app.searches_all('customers:read')) or c.id = any ((select app.searches_in('customers:read'))::uuid[]))
  select coalesce(array_agg(o.id), '{}') from own o where o.name like name_pattern or o.code like code_pattern
$$;

-- Devices with the term in their name, serial number, last user or customer's name. Planned for each term: a rare one by the index, any other without.
create or replace function app.devices_found(term text) returns table (customer_id uuid, id uuid)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan rows 1000 as $$
declare
  pattern constant text := app.search_pattern(term);
  found_max constant integer := app.search_found_max();
  found integer;
  mine uuid[];
  named uuid[];
begin
  if pattern is null then
    return;
  end if;
  named := app.customers_found(pattern, null);
  if app.searches_all('devices:read') then
    return query select d.customer_id, d.id from public.devices d
      where app.device_words(d.name, d.serial_number, d.last_user) like pattern
        or d.customer_id = any (named)
      limit found_max + 1;
  else
    mine := app.searches_in('devices:read');
    return query
      with own as materialized (
        select d.customer_id, d.id, app.device_words(d.name, d.serial_number, d.last_user) as words
        from public.devices d where d.customer_id = any (mine))
      select o.customer_id, o.id from own o where o.words like pattern or o.customer_id = any (named)
      limit found_max + 1;
  end if;
  get diagnostics found = row_count;
  perform app.refuse_broad_search(found, 'devices', 'device_list');
end $$;
comment on function app.devices_found(text) is 'Definer: finds by an index, which row-level security forbids for `like`. Asks its caller''s permissions first; gives keys within them.';

-- Tickets with the term in their subject, reference, customer's name or device's name. A reference is the customer's code, a hyphen and the number:
-- a code is letters and digits, so that the last hyphen of a term parts it.
create or replace function app.tickets_found(term text) returns table (customer_id uuid, id uuid)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan rows 1000 as $$
declare
  pattern constant text := app.search_pattern(term);
  parts constant text[] := regexp_match(lower(btrim(term)), '^([a-z0-9]+)-([0-9]*)$');
  number_pattern constant text := parts[2] || '%';
  found_max constant integer := app.search_found_max();
  found integer;
  mine uuid[];
  my_devices uuid[];
  named uuid[];
  coded uuid[];
begin
  if pattern is null then
    return;
  end if;
  named := app.customers_found(pattern, pattern);
  coded := app.customers_found(null, '%' || parts[1]);
  if app.searches_all('tickets:read') then
    return query
      select t.customer_id, t.id from public.tickets t
        where app.ticket_words(t.subject, t.number) like pattern or t.customer_id = any (named)
      union
      select t.customer_id, t.id from public.tickets t where t.customer_id = any (coded) and t.number::text like number_pattern
      union
      select t.customer_id, t.id from public.devices d
        join public.tickets t on t.customer_id = d.customer_id and t.device_id = d.id
        where app.device_words(d.name, d.serial_number, d.last_user) like pattern
          and lower(d.name) like pattern and app.searches_all('devices:read')
      limit found_max + 1;
  else
    mine := app.searches_in('tickets:read');
    my_devices := app.searches_in('devices:read');
    return query
      with own as materialized (
        select t.customer_id, t.id, t.device_id, t.number, app.ticket_words(t.subject, t.number) as words
        from public.tickets t where t.customer_id = any (mine)),
      device as materialized (select d.customer_id, d.id, lower(d.name) as name from public.devices d where d.customer_id = any (my_devices))
      select o.customer_id, o.id from own o
      where o.words like pattern or o.customer_id = any (named) or (o.customer_id = any (coded) and o.number::text like number_pattern)
        or (o.customer_id, o.device_id) in (select d.customer_id, d.id from device d where d.name like pattern)
      limit found_max + 1;
  end if;
  get diagnostics found = row_count;
  perform app.refuse_broad_search(found, 'tickets', 'ticket_list');
end $$;
comment on function app.tickets_found(text) is 'Definer: finds by an index, which row-level security forbids for `like`. Asks its caller''s permissions first; gives keys within them.';

-- What the data API offers: rows of the list views, to be filtered, ordered, counted and paged like these. Without settings, so that the planner
-- takes them apart: only what is asked for is worked out. `coalesce` hides that the customer is the same one: the planner takes the two columns of
-- a key for independent, would expect one row in place of many, and join accordingly.
create or replace function public.search_devices(term text) returns setof public.device_list language sql stable rows 1000 as $$
  select l.* from app.devices_found(term) f join public.device_list l on l.id = f.id and coalesce(l.customer_id = f.customer_id, false)
$$;
comment on function public.search_devices(text) is 'Devices with the term in their name, serial number, last user or customer''s name, ignoring case; every character stands for itself. More than 50,000 are refused (422).';
create or replace function public.search_tickets(term text) returns setof public.ticket_list language sql stable rows 1000 as $$
  select l.* from app.tickets_found(term) f join public.ticket_list l on l.id = f.id and coalesce(l.customer_id = f.customer_id, false)
$$;
comment on function public.search_tickets(text) is 'Tickets with the term in their subject, reference, customer''s name or device''s name, ignoring case; every character stands for itself. More than 50,000 are refused (422).';

revoke all on function app.search_pattern(text), app.search_found_max(), app.refuse_broad_search(integer, text, text),
  app.device_words(text, text, text), app.ticket_words(text, bigint), app.searches_all(text), app.searches_in(text), app.customers_found(text, text),
  app.devices_found(text), app.tickets_found(text), public.search_devices(text), public.search_tickets(text) from public;
grant execute on function app.devices_found(text), app.tickets_found(text), public.search_devices(text), public.search_tickets(text) to authenticated, staff;
