-- How objects changed, and how one was at an instant. A vendor's facts are left out of the audit log because synchronizations write them; here the columns
-- that mean something are kept when they change. Measurements that change by themselves (online, last contact, disk use, last sign-in) are not.
--
-- A customer's people read the history of what they may read now. What is kept of those objects is what they may see of them: the law
-- history_hides_nothing compares with the grants.
create policy member_select on public.object_changes for select to authenticated using (
  (kind in ('device', 'intune_device', 'endpoint') and customer_id = any ((select app.customers_with('devices:read'))::uuid[]))
  or (kind in ('person', 'tenant', 'license') and customer_id = any ((select app.customers_with('people:read'))::uuid[]))
  or (kind = 'site' and customer_id = any ((select app.customers_with('sites:read'))::uuid[]))
  or (kind = 'service' and customer_id = any ((select app.customers_with('billing:read'))::uuid[]))
  or (kind = 'ticket' and customer_id = any ((select app.customers_with('tickets:read'))::uuid[])));
create policy staff_select on public.object_changes for select to staff using (
  (kind in ('device', 'intune_device', 'endpoint') and (select app.has('devices:read')))
  or (kind in ('person', 'tenant', 'license') and (select app.has('people:read')))
  or (kind = 'site' and (select app.has('sites:read')))
  or (kind = 'service' and (select app.has('billing:read')))
  or (kind = 'ticket' and (select app.has('tickets:read')))
  or (kind = 'sharepoint_site' and (select app.has('documents:read')))
  or (kind = 'item' and (select app.has('configuration:read'))));
create policy owner_insert on public.object_changes for insert to owner with check (true);
create policy owner_select on public.object_changes_default for select to owner using (true);
create policy owner_delete on public.object_changes_default for delete to owner using (true);
grant select on public.object_changes to authenticated, staff;
-- Since when an object is known: before that there was nothing to look back at.
grant select (created_at) on public.managed_devices, public.tenants, public.tenant_people, public.license_skus to authenticated;

-- Arguments: the kind of object, its source, and the columns that are kept.
create or replace function app.keep_change() returns trigger language plpgsql security definer set search_path = '' as $$
declare
  was constant jsonb := to_jsonb(old);
  is_now constant jsonb := case when tg_op = 'UPDATE' then to_jsonb(new) end;
  before jsonb;
  after jsonb;
begin
  -- With its customer goes its history.
  if tg_op = 'DELETE' and not exists (select from public.customers c where c.id = old.customer_id) then
    return null;
  end if;
  select coalesce(jsonb_object_agg(k, was -> k), '{}'), coalesce(jsonb_object_agg(k, is_now -> k) filter (where is_now is not null), '{}') into before, after
    from unnest(tg_argv[2:]) k where is_now is null or was -> k is distinct from is_now -> k;
  insert into public.object_changes (customer_id, kind, object_id, source, verb, before, after, actor_id, actor_role, sync_run_id, reason)
  values (old.customer_id, tg_argv[0], old.id, tg_argv[1], lower(tg_op), before, after, app.user_id(), current_setting('role'),
    case when current_setting('role') = 'worker' then (is_now ->> 'seen_in_sync')::uuid end, nullif(current_setting('app.reason', true), ''));
  return null;
end $$;
comment on function app.keep_change() is 'Definer: nobody but this trigger may write object_changes.';

-- The condition is asked before the function is called: a row that was only seen again costs a comparison.
create or replace function app.keep_history(target regclass, kind text, source text, variadic columns text[]) returns void language plpgsql set search_path = '' as $$
declare
  arguments constant text := (select string_agg(quote_literal(a), ', ') from unnest(array[kind, source] || columns) a);
begin
  execute format('create trigger history_update after update on %s for each row when ((%s) is distinct from (%s)) execute function app.keep_change(%s)', target,
    (select string_agg('old.' || quote_ident(c), ', ') from unnest(columns) c), (select string_agg('new.' || quote_ident(c), ', ') from unnest(columns) c), arguments);
  execute format('create trigger history_delete after delete on %s for each row execute function app.keep_change(%s)', target, arguments);
end $$;
revoke all on function app.keep_change(), app.keep_history(regclass, text, text, text[]) from public;

select app.keep_history('public.devices', 'device', 'ninjaone', 'name', 'class', 'os_name', 'serial_number', 'manufacturer', 'model', 'last_user', 'site_id', 'approval', 'needs_reboot', 'missing_since');
select app.keep_history('public.managed_devices', 'intune_device', 'intune', 'name', 'serial_number', 'os_name', 'os_version', 'compliance', 'is_encrypted', 'owner_kind', 'user_principal_name',
  'manufacturer', 'model', 'missing_since');
select app.keep_history('public.endpoints', 'endpoint', 'rules', 'name', 'class', 'os_name', 'serial_number', 'sources', 'coverage', 'confidence', 'site_id', 'person_id', 'ended_at', 'merged_into');
select app.keep_history('public.tenant_people', 'person', 'microsoft', 'user_principal_name', 'display_name', 'mail', 'user_type', 'account_enabled', 'department', 'job_title', 'is_synced', 'is_admin',
  'roles', 'sku_ids', 'methods', 'mfa_registered', 'per_user_mfa', 'missing_since');
select app.keep_history('public.tenants', 'tenant', 'microsoft', 'name', 'default_domain', 'initial_domain', 'domains', 'country', 'has_premium', 'security_defaults', 'missing_since');
select app.keep_history('public.license_skus', 'license', 'microsoft', 'name', 'part_number', 'purchased', 'suspended', 'warning', 'assigned', 'status', 'missing_since');
select app.keep_history('public.sites', 'site', 'ninjaone', 'name');
select app.keep_history('public.billing_lines', 'service', 'revio', 'name', 'quantity', 'rate', 'currency', 'status', 'is_active', 'activated_at', 'contract_end_at', 'disconnected_at', 'missing_since');
select app.keep_history('public.document_sites', 'sharepoint_site', 'sharepoint', 'name', 'web_url', 'kind', 'reads', 'missing_since');
select app.keep_history('public.tickets', 'ticket', 'people', 'subject', 'description', 'priority', 'state', 'assigned_to', 'resolution', 'device_id', 'incident_id', 'closed_at');
select app.keep_history('public.configuration_items', 'item', 'people', 'kind', 'name', 'description', 'status', 'attributes');

-- How far back every change is there: since this release was installed, and no further than changes are kept.
create or replace function app.history_reaches() returns timestamptz language sql stable security definer set search_path = '' as $$
  select greatest((select h.applied_at from app.schema_history h where h.name like '%0031_configuration%'),
    date_trunc('month', now() at time zone 'utc') at time zone 'utc' - interval '13 months')
$$;
comment on function app.history_reaches() is 'Definer: reads when a migration was applied, which not everybody may read.';

-- Names for the ids in what changed, of rows that the caller sees.
create or replace function app.names_in(p_customer uuid, p_values jsonb) returns jsonb language sql stable set search_path = '' as $$
  with ids as materialized (
    select distinct x.id::uuid as id from (
      select v.value #>> '{}' as id from jsonb_each(p_values) v where jsonb_typeof(v.value) = 'string'
      union all
      select a.value #>> '{}' from jsonb_each(p_values) v cross join lateral jsonb_array_elements(case when jsonb_typeof(v.value) = 'array' then v.value else '[]' end) a) x
    where x.id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' limit 200)
  select coalesce(jsonb_object_agg(n.id, n.name), '{}') from (
    select s.id, s.name from public.sites s where s.customer_id = p_customer and s.id in (select i.id from ids i)
    union all select p.id, p.display_name from public.tenant_people p where p.customer_id = p_customer and p.id in (select i.id from ids i)
    union all select d.id, d.name from public.devices d where d.customer_id = p_customer and d.id in (select i.id from ids i)
    union all select e.id, e.name from public.endpoints e where e.customer_id = p_customer and e.id in (select i.id from ids i)
    union all select l.sku_id, min(l.name) from public.license_skus l where l.customer_id = p_customer and l.sku_id in (select i.id from ids i) group by l.sku_id
    union all select p.id, p.display_name from public.people p where p.id in (select i.id from ids i)) n
$$;

create view public.object_change_list with (security_invoker = true) as
  select h.customer_id, h.id, h.at, h.kind, h.object_id, h.source, h.verb, h.before, h.after, h.actor_id,
         -- Who: by name for those who may know that person.
         (select p.display_name from public.people p where p.id = h.actor_id) as actor_name,
         case when h.actor_id is not null then 'person' when h.actor_role = 'worker' then 'synchronization' else 'system' end as actor_kind,
         h.sync_run_id, h.reason, (select app.names_in(h.customer_id, h.before) || app.names_in(h.customer_id, h.after)) as names
  from public.object_changes h;
comment on view public.object_change_list is 'How an object changed, newest first: for the history of a record. Ask for one object.';
grant select on public.object_change_list to authenticated, staff;

-- The table that a kind of object is kept in and the columns that history has of it: what its trigger says.
create or replace function app.history_of(p_kind text) returns table (relation regclass, columns text[]) language sql stable set search_path = '' as $$
  select t.tgrelid::regclass, (string_to_array(encode(t.tgargs, 'escape'), '\000'))[3:array_length(string_to_array(encode(t.tgargs, 'escape'), '\000'), 1) - 1]
  from pg_catalog.pg_trigger t
  where t.tgname = 'history_update' and (string_to_array(encode(t.tgargs, 'escape'), '\000'))[1] = p_kind
$$;

-- An object as it was at an instant: what its row says now, with every later change taken back. Under the caller's rights: who does not see the
-- object sees no state of it. Nothing is guessed: where the history does not reach, `outcome` says so and there is no state.
create or replace function public.as_of(p_kind text, p_customer uuid, p_id uuid, p_at timestamptz) returns jsonb language plpgsql stable set search_path = '' as $$
declare
  changes_max constant integer := 2000;
  reaches constant timestamptz := app.history_reaches();
  kept record;
  state jsonb;
  since jsonb := '{}';
  began timestamptz;
  change record;
  count_taken integer := 0;
  outcome text;
begin
  select k.relation, k.columns into kept from app.history_of(p_kind) k;
  if kept.relation is null then
    raise exception 'There is no history of "%".', left(p_kind, 40) using errcode = 'PT400';
  end if;
  if p_at is null or p_at > now() then
    raise exception 'p_at is an instant of the past.' using errcode = 'PT400';
  end if;
  execute format('select jsonb_build_object(%s), o.created_at from %s o where o.customer_id = $1 and o.id = $2',
    (select string_agg(format('%L, o.%I', c, c), ', ') from unnest(kept.columns) c), kept.relation) into state, began using p_customer, p_id;
  if state is null and not exists (select from public.object_changes h where h.customer_id = p_customer and h.object_id = p_id and h.kind = p_kind and h.verb = 'delete') then
    raise exception 'There is no such object.' using errcode = 'PT404';
  end if;
  if began > p_at then
    outcome := 'not_yet';
  elsif p_at < reaches then
    outcome := 'before_history';
  else
    outcome := case when state is null then 'gone' else 'known' end;
    for change in select h.at, h.verb, h.before, h.after from public.object_changes h
        where h.customer_id = p_customer and h.object_id = p_id and h.kind = p_kind and h.at > p_at order by h.at desc, h.id desc limit changes_max + 1 loop
      count_taken := count_taken + 1;
      if count_taken > changes_max then
        outcome := 'too_many_changes';
        exit;
      end if;
      outcome := 'known';
      state := case when change.verb = 'delete' then change.before else state || change.before end;
    end loop;
    select coalesce(jsonb_object_agg(s.name, s.at), '{}') into since from (
      select k.name, max(h.at) as at from public.object_changes h cross join lateral jsonb_object_keys(h.after) k (name)
      where h.customer_id = p_customer and h.object_id = p_id and h.kind = p_kind and h.at <= p_at group by k.name) s;
  end if;
  if outcome <> 'known' then
    state := null;
  end if;
  return jsonb_build_object('outcome', outcome, 'at', p_at, 'reaches_back_to', reaches, 'first_seen_at', began, 'changes_since', least(count_taken, changes_max), 'state', state, 'since', since,
    'names', case when state is not null then app.names_in(p_customer, state) else '{}' end);
end $$;
comment on function public.as_of(text, uuid, uuid, timestamptz) is 'An object (device, intune_device, endpoint, person, tenant, license, site, service, sharepoint_site, ticket, item) as it was at an instant. outcome: known, not_yet (first seen later), gone (removed before), before_history, too_many_changes.';

revoke all on function app.history_reaches(), app.names_in(uuid, jsonb), app.history_of(text), public.as_of(text, uuid, uuid, timestamptz) from public;
grant execute on function app.history_reaches(), app.names_in(uuid, jsonb), app.history_of(text), public.as_of(text, uuid, uuid, timestamptz) to authenticated, staff;
