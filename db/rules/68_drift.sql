-- Demands are the provider's: its people read them with drift:read and write them with baselines:write, through the data API.
select app.protect_provider('public.standards', 'drift', '{select}');
revoke insert, update, delete on public.standards from worker;
select app.open_to_system('public.standards', 'select, insert, update');
select app.watch('public.standards');

do $$
declare
  target text;
begin
  foreach target in array array['baselines', 'baseline_entries', 'customer_tiers', 'customer_baseline_entries'] loop
    execute format('create policy staff_select on public.%I for select to staff using ((select app.has(''drift:read'')))', target);
    execute format('create policy staff_insert on public.%I for insert to staff with check ((select app.has(''baselines:write'')))', target);
    execute format('create policy staff_update on public.%I for update to staff using ((select app.has(''baselines:write''))) with check ((select app.has(''baselines:write'')))', target);
    execute format('create policy staff_delete on public.%I for delete to staff using ((select app.has(''baselines:write'')))', target);
    execute format('grant select, delete on public.%I to staff', target);
    perform app.watch(format('public.%I', target)::regclass);
  end loop;
  -- What background work does with them is reading.
  foreach target in array array['baselines', 'baseline_entries'] loop
    execute format('create policy worker_select on public.%I for select to worker using (true)', target);
    execute format('grant select on public.%I to worker', target);
  end loop;
  foreach target in array array['customer_tiers', 'customer_baseline_entries'] loop
    execute format('create policy worker_select on public.%I for select to worker using (customer_id = (select app.worker_customer()))', target);
    execute format('grant select on public.%I to worker', target);
  end loop;
end $$;
grant insert (id, kind, name, description), update (name, description, archived_at) on public.baselines to staff;
grant insert (id, baseline_id, setting, rule, severity, why), update (rule, severity, why) on public.baseline_entries to staff;
grant insert (customer_id, baseline_id), update (baseline_id) on public.customer_tiers to staff;
grant insert (customer_id, id, setting, rule, severity, why), update (rule, severity, why) on public.customer_baseline_entries to staff;
select app.open_to_system('public.baselines', 'select, insert'), app.open_to_system('public.baseline_entries', 'select, insert'),
       app.open_to_system('public.customer_tiers', 'select, insert');

-- Drifts belong to the provider's work: no member sees one. Background work writes them for one customer; people decide through the function `drift`.
do $$
declare
  target text;
begin
  foreach target in array array['drifts', 'drift_exceptions', 'drift_evaluations', 'drift_days'] loop
    execute format('create policy staff_select on public.%I for select to staff using ((select app.has(''drift:read'')))', target);
    execute format('create policy worker_all on public.%I for all to worker using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()))', target);
    execute format('grant select on public.%I to staff', target);
    execute format('grant select, insert, update, delete on public.%I to worker', target);
  end loop;
end $$;
select app.watch('public.drift_exceptions');
-- A drift that was seen again unchanged is no change.
create trigger audit after insert or delete or update of state, state_text, severity, rule, actual, layer, exception_id, denied_at, run_id, ticket_id, closed_at on public.drifts
  for each row execute function app.audit();
-- Which tenants are due: keys and times only.
create policy system_select on public.drift_evaluations for select to system using (true);
grant select (customer_id, cipp_tenant_id, due_at) on public.drift_evaluations to system;

-- A rule that this version does not know would never hold and never be seen: it is refused when it is written.
create or replace function app.is_drift_rule(rule jsonb) returns boolean language sql immutable set search_path = '' as $$
  select jsonb_typeof(rule) = 'object' and case rule ->> 'is'
    when 'equals' then rule ? 'value' and rule - array['is', 'value'] = '{}'
    when 'contains' then rule ? 'value' and rule - array['is', 'value'] = '{}'
    when 'at_least' then rule - array['is', 'value'] = '{}' and rule ->> 'value' ~ '^ *-?[0-9]{1,15}([.][0-9]{1,6})? *$'
    when 'at_most' then rule - array['is', 'value'] = '{}' and rule ->> 'value' ~ '^ *-?[0-9]{1,15}([.][0-9]{1,6})? *$'
    when 'one_of' then rule - array['is', 'values'] = '{}' and case when jsonb_typeof(rule -> 'values') = 'array' then jsonb_array_length(rule -> 'values') between 1 and 50 else false end
    when 'not_set' then rule - 'is' = '{}'
    else false end
$$;
create or replace function app.stamp_baseline() returns trigger language plpgsql set search_path = '' as $$
begin
  if tg_table_name = 'baselines' then
    new.created_by := app.user_id();
  elsif tg_table_name = 'customer_tiers' then
    new.set_by := app.user_id();
    new.set_at := now();
  else
    if new.rule is not null and not app.is_drift_rule(new.rule) then
      raise exception 'the rule is none that is known' using errcode = 'check_violation', constraint = tg_table_name || '_rule_is_known',
        hint = 'One of equals, contains, at_least, at_most with `value`; one_of with `values`; not_set.';
    end if;
    new.updated_by := app.user_id();
    new.updated_at := now();
  end if;
  return new;
end $$;
create trigger stamp before insert on public.baselines for each row execute function app.stamp_baseline();
create trigger stamp before insert or update on public.baseline_entries for each row execute function app.stamp_baseline();
create trigger stamp before insert or update on public.customer_tiers for each row execute function app.stamp_baseline();
create trigger stamp before insert or update on public.customer_baseline_entries for each row execute function app.stamp_baseline();

-- What a tenant is judged by changed: it is due at once. Background work finds it within seconds.
create policy owner_select on public.drift_evaluations for select to owner using (true);
create policy owner_update on public.drift_evaluations for update to owner using (true) with check (true);
create policy owner_select on public.customer_tiers for select to owner using (true);
create or replace function app.drift_is_due(p_customer uuid, p_tier uuid) returns void language sql volatile security definer set search_path = '' as $$
  update public.drift_evaluations e set due_at = '-infinity'
  where e.due_at > '-infinity' and (p_customer is null or e.customer_id = p_customer)
    and (p_tier is null or e.customer_id in (select t.customer_id from public.customer_tiers t where t.baseline_id = p_tier))
$$;
comment on function app.drift_is_due(uuid, uuid) is 'Definer: people who edit baselines may not write evaluations. Marks them due, for one customer, for those of a tier, or all.';
create or replace function app.drift_changed() returns trigger language plpgsql set search_path = '' as $$
declare
  one constant jsonb := to_jsonb(case when tg_op = 'DELETE' then old else new end);
  base uuid;
  of_kind text;
begin
  if one ? 'customer_id' then
    perform app.drift_is_due((one ->> 'customer_id')::uuid, null);
    return null;
  end if;
  base := coalesce(one ->> 'baseline_id', one ->> 'id')::uuid;
  select b.kind into of_kind from public.baselines b where b.id = base;
  perform app.drift_is_due(null, case when of_kind = 'tier' then base end);
  return null;
end $$;
create trigger drift_changed after insert or update on public.baselines for each row execute function app.drift_changed();
create trigger drift_changed after insert or update or delete on public.baseline_entries for each row execute function app.drift_changed();
create trigger drift_changed after insert or update or delete on public.customer_tiers for each row execute function app.drift_changed();
create trigger drift_changed after insert or update or delete on public.customer_baseline_entries for each row execute function app.drift_changed();

-- A reading of a tenant's settings ended, whole or not, or the tenant itself changed. By background work, for its customer.
create or replace function app.drift_read() returns trigger language plpgsql set search_path = '' as $$
declare
  tenant constant uuid := coalesce(to_jsonb(new) ->> 'cipp_tenant_id', to_jsonb(new) ->> 'id')::uuid;
begin
  insert into public.drift_evaluations as e (customer_id, cipp_tenant_id, due_at) values (new.customer_id, tenant, '-infinity')
  on conflict (customer_id, cipp_tenant_id) do update set due_at = '-infinity' where e.due_at > '-infinity';
  return null;
end $$;
create trigger drift_read after insert or update on public.cipp_tenant_parts for each row when (new.part = 'settings') execute function app.drift_read();
create trigger drift_added after insert on public.cipp_tenants for each row execute function app.drift_read();
create trigger drift_changed after update on public.cipp_tenants for each row
  when ((old.is_excluded, old.missing_since) is distinct from (new.is_excluded, new.missing_since)) execute function app.drift_read();
revoke all on function app.drift_is_due(uuid, uuid), app.is_drift_rule(jsonb), app.stamp_baseline(), app.drift_changed(), app.drift_read() from public;
grant execute on function app.drift_is_due(uuid, uuid), app.is_drift_rule(jsonb) to staff, system;

-- The controller is watched: a tenant that was not judged on complete facts for this long is a finding of its own.
create or replace function app.drift_silent_after() returns interval language sql immutable set search_path = '' as $$ select interval '24 hours' $$;
revoke all on function app.drift_silent_after() from public;
grant execute on function app.drift_silent_after() to staff, worker;

create view public.drift_list with (security_invoker = true) as
  select d.customer_id, d.id, c.name as customer_name, d.cipp_tenant_id, t.name as tenant_name, t.default_domain, d.setting, coalesce(s.name, d.setting) as setting_name, s.category,
         s.what, d.state, d.state_text, d.severity, d.severity_rank, d.rule, d.desired_text, d.actual, d.actual_text, d.why, d.layer, d.baseline_id, d.layer_name, d.cause,
         d.unknown_kind, d.first_seen_at, d.since, d.evaluated_at, coalesce(g.observed_at, d.observed_at) as observed_at,
         least(coalesce(g.observed_at, d.observed_at) + (select app.row_stale_after(t.integration_id)), (select app.access_lost_since(t.integration_id, t.external_id))) as stale_at,
         d.exception_id, x.until as accepted_until, x.reason as accepted_reason, x.created_by as accepted_by, d.denied_by, d.denied_at, d.denied_reason,
         d.run_id, d.ticket_id, d.closed_at, d.close_reason
  from public.drifts d
  left join public.customers c on c.id = d.customer_id
  left join public.cipp_tenants t on t.customer_id = d.customer_id and t.id = d.cipp_tenant_id
  left join public.standards s on s.setting = d.setting
  -- A drift that was seen again unchanged is written once an hour; its setting says when it was read.
  left join public.tenant_settings g on g.customer_id = d.customer_id and g.cipp_tenant_id = d.cipp_tenant_id and g.setting = d.setting and g.is_complete
  left join public.drift_exceptions x on x.customer_id = d.customer_id and x.id = d.exception_id;
comment on view public.drift_list is 'Settings of tenants that are not as demanded, or unknown, in words: for the list screen.';
grant select on public.drift_list to staff;

create view public.drift_tenant_list with (security_invoker = true) as
  select t.customer_id, t.id, c.name as customer_name, t.integration_id, t.external_id, t.name, t.default_domain, b.id as tier_id, b.name as tier_name,
         e.settings_demanded, e.in_order, e.drifted, e.accepted, e.unknown, e.score_percent, e.reason, e.attempted_at, e.evaluated_at,
         e.evaluated_at + (select app.drift_silent_after()) as stale_at,
         case when t.is_excluded then 'excluded'
              when coalesce(e.evaluated_at, t.created_at) + (select app.drift_silent_after()) < now() then 'silent'
              when e.evaluated_at is null then 'waiting'
              when e.drifted > 0 then 'drift' when e.unknown > 0 then 'unknown' when coalesce(e.settings_demanded, 0) = 0 then 'nothing_demanded' else 'in_order' end as state,
         coalesce(e.evaluated_at, t.created_at) as silent_since,
         (select coalesce(jsonb_agg(jsonb_build_object('day', y.day, 'score', y.score_percent, 'drifted', y.drifted) order by y.day), '[]') from
            (select z.day, z.score_percent, z.drifted from public.drift_days z where z.customer_id = t.customer_id and z.cipp_tenant_id = t.id order by z.day desc limit 60) y) as days
  from public.cipp_tenants t
  left join public.customers c on c.id = t.customer_id
  left join public.drift_evaluations e on e.customer_id = t.customer_id and e.cipp_tenant_id = t.id
  left join public.customer_tiers k on k.customer_id = t.customer_id
  left join public.baselines b on b.id = k.baseline_id and b.archived_at is null
  where t.missing_since is null;
comment on view public.drift_tenant_list is 'Tenants with how they stand against their baselines, since when nothing is known, and each day''s score: for the list screen.';
grant select on public.drift_tenant_list to staff;

create view public.drift_overview with (security_invoker = true) as
  select e.customer_id, count(*)::integer as tenants, coalesce(sum(e.settings_demanded), 0)::integer as settings_demanded, coalesce(sum(e.in_order), 0)::integer as in_order,
         coalesce(sum(e.drifted), 0)::integer as drifted, coalesce(sum(e.accepted), 0)::integer as accepted, coalesce(sum(e.unknown), 0)::integer as unknown,
         count(*) filter (where e.drifted > 0)::integer as tenants_drifted,
         count(*) filter (where not t.is_excluded and coalesce(e.evaluated_at, t.created_at) + (select app.drift_silent_after()) < now())::integer as tenants_silent,
         min(e.evaluated_at) as oldest_evaluated_at
  from public.drift_evaluations e
  join public.cipp_tenants t on t.customer_id = e.customer_id and t.id = e.cipp_tenant_id and t.missing_since is null
  group by grouping sets ((e.customer_id), ());
comment on view public.drift_overview is 'How tenants stand against their baselines: per customer, and in total where customer_id is null.';
grant select on public.drift_overview to staff;

create view public.baseline_list with (security_invoker = true) as
  select b.id, b.kind, b.name, b.description, b.created_by, b.created_at, b.archived_at,
         (select count(*)::integer from public.baseline_entries e where e.baseline_id = b.id and e.is_demanded) as entries,
         (select count(*)::integer from public.baseline_entries e where e.baseline_id = b.id and not e.is_demanded) as entries_off,
         case b.kind when 'provider' then (select count(*)::integer from public.customers c where c.archived_at is null)
           else (select count(*)::integer from public.customer_tiers k where k.baseline_id = b.id) end as customers,
         (select count(*)::integer from public.drifts d where d.baseline_id = b.id and d.state in ('open', 'denied', 'remediating')) as drifts,
         (select max(e.updated_at) from public.baseline_entries e where e.baseline_id = b.id) as updated_at
  from public.baselines b;
comment on view public.baseline_list is 'Baselines with how much they demand, of how many customers, and how many drifts they have: for the list screen.';
grant select on public.baseline_list to staff;

create view public.drift_exception_list with (security_invoker = true) as
  select x.customer_id, x.id, c.name as customer_name, x.cipp_tenant_id, t.name as tenant_name, x.setting, coalesce(s.name, x.setting) as setting_name, x.value, x.reason,
         x.created_by, x.created_at, x.until, x.ended_at, x.ended_by
  from public.drift_exceptions x
  left join public.customers c on c.id = x.customer_id
  left join public.cipp_tenants t on t.customer_id = x.customer_id and t.id = x.cipp_tenant_id
  left join public.standards s on s.setting = x.setting;
comment on view public.drift_exception_list is 'Deviations that people accepted, with until when and why, for the list screen.';
grant select on public.drift_exception_list to staff;
