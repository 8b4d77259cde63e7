-- Reads: the server's one writer inserts as system; nobody updates or deletes. Old months go as whole partitions.
create policy staff_select on audit.access for select to staff using ((select app.has('audit:read')));
create policy system_select on audit.access for select to system using (true);
create policy system_insert on audit.access for insert to system with check (true);
grant select on audit.access to staff;
grant select, insert on audit.access to system;
-- app.maintain_partitions looks for strays, and ends them with their time.
create policy owner_select on audit.access_default for select to owner using (true);
create policy owner_delete on audit.access_default for delete to owner using (true);

create view public.access_log with (security_invoker = true) as
  select a.id, a.minute, a.actor_id, p.display_name as actor_name, p.email as actor_email, a.actor_role, a.session_id, a.source, a.subject, a.shape,
         a.request_count, a.row_count, a.first_at, a.last_at, a.last_request_id
  from audit.access a left join public.people p on p.id = a.actor_id;
comment on view public.access_log is 'Who read how much of what, per minute, for those with audit:read.';
grant select on public.access_log to staff;

-- Canaries: under the policies of every table of a customer, so that what opens those opens this. Planted with the customer.
select app.protect('public.canaries', 'customers', '{select}');
revoke insert, update, delete on public.canaries from worker;
select app.open_to_system('public.canaries', 'select');
create policy owner_insert on public.canaries for insert to owner with check (true);
create or replace function app.plant_canary() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  insert into public.canaries (customer_id, token)
    values (new.id, 'canary_' || replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '')) on conflict do nothing;
  return null;
end $$;
comment on function app.plant_canary() is 'Definer: nobody but this trigger may plant canaries.';
revoke all on function app.plant_canary() from public;
create trigger plant_canary after insert on public.customers for each row execute function app.plant_canary();

-- Alerts of the provider: raised by the server, acknowledged with a reason, never deleted.
create policy staff_select on public.security_alerts for select to staff using ((select app.has('security:read')));
create policy staff_update on public.security_alerts for update to staff
  using ((select app.has('security:write'))) with check ((select app.has('security:write')));
grant select on public.security_alerts to staff;
grant update (state, reason) on public.security_alerts to staff;
select app.open_to_system('public.security_alerts', 'select, insert, update');

create or replace function app.acknowledge_security_alert() returns trigger language plpgsql set search_path = '' as $$
begin
  if current_setting('role') = 'staff' then
    if new.state = old.state and new.reason is not distinct from old.reason then
      return old;
    end if;
    if not (old.state = 'open' and new.state = 'acknowledged') then
      raise exception 'A security alert is acknowledged once, with a reason.' using errcode = 'PT409';
    end if;
    new.acknowledged_by := app.user_id();
    new.acknowledged_at := now();
  end if;
  return new;
end $$;
create trigger acknowledge_security_alert before update on public.security_alerts for each row execute function app.acknowledge_security_alert();

-- A freeze is lifted once, with a reason; the server only makes them.
create policy staff_select on public.export_freezes for select to staff using ((select app.has('security:read')));
create policy staff_update on public.export_freezes for update to staff
  using ((select app.has('security:write'))) with check ((select app.has('security:write')));
grant select on public.export_freezes to staff;
grant update (lift_reason) on public.export_freezes to staff;
select app.open_to_system('public.export_freezes', 'select, insert');
create policy owner_select on public.export_freezes for select to owner using (true);

create or replace function app.lift_export_freeze() returns trigger language plpgsql set search_path = '' as $$
begin
  if new.lift_reason is not distinct from old.lift_reason then
    return old;
  end if;
  if old.lifted_at is not null then
    raise exception 'This freeze was lifted before.' using errcode = 'PT409';
  end if;
  new.lifted_by := app.user_id();
  new.lifted_at := now();
  return new;
end $$;
create trigger lift_export_freeze before update on public.export_freezes for each row execute function app.lift_export_freeze();

create or replace function app.exports_frozen() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select from public.export_freezes f where f.lifted_at is null)
$$;
comment on function app.exports_frozen() is 'Definer: everybody may know that exports are frozen; why is for those with security:read.';
revoke all on function app.exports_frozen() from public;
grant execute on function app.exports_frozen() to authenticated, staff, worker, system;
-- For screens that make files of what they read.
create or replace function public.exports_frozen() returns boolean language sql stable set search_path = '' as $$ select app.exports_frozen() $$;
comment on function public.exports_frozen() is 'Whether exports are frozen, because the isolation of customers was seen to be broken.';
revoke all on function public.exports_frozen() from public;
grant execute on function public.exports_frozen() to authenticated, staff;

create policy staff_select on public.isolation_probes for select to staff using ((select app.has('security:read')));
grant select on public.isolation_probes to staff;
select app.open_to_system('public.isolation_probes', 'select, insert, update');
-- Owners are told of what the watch finds.
select app.open_to_system('public.notifications', 'insert');

select app.watch('public.security_alerts'), app.watch('public.export_freezes');

create view public.security_alert_list with (security_invoker = true) as
  select a.id, a.kind, a.severity, a.title, a.detail, a.actor_id, p.display_name as actor_name, a.window_from, a.window_until, a.state, a.occurrences,
         a.raised_at, a.last_seen_at, a.acknowledged_by, k.display_name as acknowledged_by_name, a.acknowledged_at, a.reason
  from public.security_alerts a
  left join public.people p on p.id = a.actor_id
  left join public.people k on k.id = a.acknowledged_by;
comment on view public.security_alert_list is 'Security alerts with the people in them, for the list screen.';
grant select on public.security_alert_list to staff;

-- One row for those who may see it. A probe that has not ended well for two hours is overdue, whatever the reason.
create view public.security_status with (security_invoker = true) as
  select f.id as freeze_id, f.frozen_at, f.reason as freeze_reason,
         (select count(*) from public.security_alerts a where a.state = 'open') as open_alerts,
         clean.at as last_clean_at, last.began_at as last_began_at, last.outcome as last_outcome, last.error as last_error, last.request_count as last_requests,
         coalesce(clean.at < now() - interval '2 hours', true) as is_overdue
  from (select app.has('security:read') as yes) may
  left join public.export_freezes f on f.lifted_at is null
  left join lateral (select max(q.ended_at) as at from public.isolation_probes q where q.outcome = 'clean') clean on true
  left join lateral (select q.began_at, q.outcome, q.error, q.request_count from public.isolation_probes q
                     where q.outcome <> 'running' order by q.began_at desc limit 1) last on true
  where may.yes;
comment on view public.security_status is 'Whether exports are frozen, and when the isolation was last seen to hold. One row, for those with security:read.';
grant select on public.security_status to staff;
