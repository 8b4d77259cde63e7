-- Realtime: who hears what, what is published, and broadcasts from the database.

-- The topic that a private channel asks for; set while its policies are evaluated.
create or replace function realtime.topic() returns text language sql stable parallel safe as
$$ select nullif(current_setting('realtime.topic', true), '') $$;
comment on function realtime.topic() is 'Topic of the channel whose policies on realtime.messages are being asked.';

-- Select is to hear, insert is to send; the column `extension` tells broadcast from presence. Who only reads, hears only.
-- People of a customer talk among themselves, and with the provider, on the customer's topics.
create policy member_select on realtime.messages for select to authenticated
  using (private and customer_id = any ((select app.customers_with('customers:read'))::uuid[]));
create policy member_insert on realtime.messages for insert to authenticated
  with check (private and customer_id = any ((select app.customers_with('tickets:write'))::uuid[]));
-- Staff hear and use every customer's topics, and their own: `staff` and `staff:<anything>`.
create policy staff_select on realtime.messages for select to staff
  using (private and (customer_id is not null or topic = 'staff' or topic like 'staff:%') and (select app.has('customers:read')));
create policy staff_insert on realtime.messages for insert to staff
  with check (private and (customer_id is not null or topic = 'staff' or topic like 'staff:%') and (select app.has('tickets:write')));
grant select, insert on realtime.messages to authenticated, staff;
-- The definers below write and prune.
create policy owner_insert on realtime.messages for insert to owner with check (true);
create policy owner_select on realtime.messages_default for select to owner using (true);
create policy owner_delete on realtime.messages_default for delete to owner using (true);

-- A broadcast from the database, delivered when its transaction commits.
create or replace function realtime.send(payload jsonb, event text, topic text, private boolean default true) returns void
language plpgsql security definer set search_path = '' as $$
begin
  insert into realtime.messages (topic, event, payload, private, customer_id) values (send.topic, send.event, coalesce(send.payload, '{}'), send.private,
    case when send.topic ~ '^customer:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(:|$)' then substring(send.topic from 10 for 36)::uuid end);
end $$;
comment on function realtime.send(jsonb, text, text, boolean) is 'Definer: background work and triggers send to channels without being their members.';

-- For a trigger: broadcasts a row's change on a private topic.
create or replace function realtime.broadcast_changes(topic_name text, event_name text, operation text, table_name text, table_schema text,
                                                      new record, old record, level text default 'ROW') returns void
language plpgsql set search_path = '' as $$
begin
  if level = 'STATEMENT' then
    raise exception 'broadcast_changes is for triggers of the level ROW, not STATEMENT';
  end if;
  perform realtime.send(jsonb_build_object('schema', table_schema, 'table', table_name, 'operation', operation,
    'record', case when operation <> 'DELETE' then to_jsonb(new) end, 'old_record', case when operation <> 'INSERT' then to_jsonb(old) end),
    event_name, topic_name, true);
end $$;
comment on function realtime.broadcast_changes(text, text, text, text, text, record, record, text) is 'Sends {schema, table, operation, record, old_record} to a private topic.';

-- Asked for every class of subscribers that a batch of changes concerns, so these are in the language that keeps its plans: a
-- function in SQL that cannot be inlined is parsed and planned again by every statement that calls it.
--
-- What decides what a person may see: their permissions, as one fingerprint. Who has the same one sees the same rows wherever a
-- policy asks for permissions only. Null: the session ended, or the person was disabled.
create or replace function realtime.fingerprint(session uuid, person uuid) returns text
language plpgsql stable security definer set search_path = '' as $$
begin
  if not exists (select from auth.sessions s join auth.users u on u.id = s.user_id and u.disabled_at is null
      where s.id = fingerprint.session and s.user_id = fingerprint.person and s.ended_at is null and s.expires_at > now()) then
    return null;
  end if;
  return md5(coalesce((
    select string_agg(coalesce(p.customer_id::text, '*') || ' ' || p.permission, ',' order by p.customer_id, p.permission)
    from (
      select null::uuid as customer_id, r.permission from public.staff_members m join public.role_permissions r on r.role = m.role where m.user_id = fingerprint.person
      union all
      select m.customer_id, r.permission from public.memberships m join public.role_permissions r on r.role = m.role where m.user_id = fingerprint.person
    ) p), ''));
end $$;
comment on function realtime.fingerprint(uuid, uuid) is 'Definer: reads sessions, memberships and role permissions, which callers may not read.';

create or replace function realtime.sight(session uuid, person uuid) returns table (fingerprint text, customers uuid[])
language plpgsql stable security definer set search_path = '' as $$
begin
  return query select realtime.fingerprint(sight.session, sight.person),
    array(select distinct m.customer_id from public.memberships m
      where m.user_id = sight.person and exists (select from public.role_permissions r where r.role = m.role));
end $$;
comment on function realtime.sight(uuid, uuid) is 'Definer: reads sessions, memberships and role permissions, which callers may not read.';

create or replace function realtime.sights(sessions uuid[]) returns table (session uuid, fingerprint text, customers uuid[])
language sql stable set search_path = '' as $$
  select s.id, v.fingerprint, v.customers from auth.sessions s cross join lateral realtime.sight(s.id, s.user_id) v where s.id = any (sights.sessions)
$$;
comment on function realtime.sights(uuid[]) is 'The sight of many sessions at once; sessions that are gone are missing.';

create or replace function realtime.my_fingerprint() returns text
language plpgsql stable security definer set search_path = '' as $$
begin
  return realtime.fingerprint(app.session_id(), app.user_id());
end $$;
comment on function realtime.my_fingerprint() is 'Definer: the sight of the caller only; callers may not ask for others.';

-- What clients may subscribe to: each published table by the name that the data API has for it. Tables of the engine go by the
-- view over them, with its columns.
create or replace function realtime.feed_tables() returns table (relation oid, seen_schema text, seen_name text, columns text[])
language sql stable set search_path = '' as $$
  select c.oid, 'public', c.relname::text,
         array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                 and (v.oid is null or exists (select from pg_catalog.pg_attribute w where w.attrelid = v.oid and w.attname = a.attname and w.attnum > 0))
               order by a.attnum)
  from pg_catalog.pg_publication_rel r
  join pg_catalog.pg_publication p on p.oid = r.prpubid and p.pubname = 'obera_realtime'
  join pg_catalog.pg_class c on c.oid = r.prrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_class v on n.nspname <> 'public' and v.relkind = 'v' and v.relname = c.relname and v.relnamespace = 'public'::regnamespace
  where n.nspname = 'public' or n.nspname = 'flow' and v.oid is not null
$$;
comment on function realtime.feed_tables() is 'Published tables by the name and with the columns that clients know.';

revoke all on all functions in schema realtime from public;
grant execute on function realtime.topic(), realtime.my_fingerprint() to authenticated, staff;
grant execute on function realtime.send(jsonb, text, text, boolean),
  realtime.broadcast_changes(text, text, text, text, text, record, record, text) to worker, system;
grant execute on function realtime.fingerprint(uuid, uuid), realtime.sight(uuid, uuid), realtime.sights(uuid[]), realtime.feed_tables() to system;

-- What is published. Of people and sessions only what ends a right; never a secret. Secrets of other tables are in no table here.
alter publication obera_realtime set table
  public.customers, public.sites, public.integrations, public.integration_organizations, public.sync_runs, public.sync_parts,
  public.devices, public.device_conditions, public.alerts, public.incidents, public.tickets, public.ticket_events, public.notifications,
  public.remediation_rules, public.count_differences, public.reconciliations, public.workflows, public.memberships, public.staff_members, public.role_permissions,
  flow.runs, flow.steps, flow.changes, flow.approvals,
  auth.users (id, disabled_at), auth.sessions (id, user_id, ended_at), realtime.messages;
