select app.open_to_system('vault.credentials', 'select, insert, update'), app.open_to_system('vault.keys', 'select, insert, update');
create policy worker_select on vault.credentials for select to worker using (true);
grant select (id, created_at, rotated_at) on vault.credentials to worker;
select app.watch('vault.credentials', 'sealed'), app.watch('vault.keys', 'sealed');

select app.protect_provider('public.integrations', 'integrations', '{select,update}');
-- Which credentials an integration uses, where it points and its webhook secret change only through functions.
revoke update on public.integrations from staff;
grant update (name, sync_interval_s, full_sync_interval_s, enabled, credentials_end_at) on public.integrations to staff;
revoke select on public.integrations from staff;
grant select (id, vendor, name, base_url, webhook_registered_at, sync_interval_s, full_sync_interval_s, enabled, created_at, credentials_failed_at, credentials_problem, credentials_end_at)
  on public.integrations to staff;

-- When a synchronized fact is stale: the only definition, for every screen and for the guard of every automation.
-- What every synchronization renews (a source as a whole, sites, organizations): three missed readings, at least 10 minutes.
create or replace function app.source_stale_after(sync_interval_s integer) returns interval language sql immutable as
$$ select make_interval(secs => greatest(3 * sync_interval_s, 600)) $$;
-- A single device: between full readings it is read again only when its source reports a change, so a missed full reading.
create or replace function app.row_stale_after(sync_interval_s integer, full_sync_interval_s integer) returns interval language sql immutable as
$$ select make_interval(secs => full_sync_interval_s) + app.source_stale_after(sync_interval_s) $$;

create policy owner_select on public.integrations for select to owner using (true);
create or replace function app.source_stale_after(p_integration uuid) returns interval language sql stable security definer set search_path = '' as
$$ select app.source_stale_after(i.sync_interval_s) from public.integrations i where i.id = p_integration $$;
comment on function app.source_stale_after(uuid) is 'Definer: reads the interval of a source, whose row not everybody may read who sees its facts.';
create or replace function app.row_stale_after(p_integration uuid) returns interval language sql stable security definer set search_path = '' as
$$ select app.row_stale_after(i.sync_interval_s, i.full_sync_interval_s) from public.integrations i where i.id = p_integration $$;
comment on function app.row_stale_after(uuid) is 'Definer: reads the intervals of a source, whose row not everybody may read who sees its facts.';
-- What is read of all devices at once, every hour or every day (app::sync::facts): three missed readings, or a missed one of a day.
create or replace function app.device_fact_stale_after(p_part text, p_integration uuid) returns interval language sql stable as
$$ select case when p_part in ('software', 'backups', 'custom_fields') then app.row_stale_after(p_integration) else interval '3 hours' + app.source_stale_after(p_integration) end $$;
-- No device that was seen later than this ago is stale.
create or replace function app.row_stale_after_least() returns interval language sql stable security definer set search_path = '' as
$$ select min(app.row_stale_after(i.sync_interval_s, i.full_sync_interval_s)) from public.integrations i $$;
comment on function app.row_stale_after_least() is 'Definer: reads the intervals of all sources, to narrow a search by index.';
-- A tenant that stopped to let us in: what is known of it is stale since the last proof that it did. Null while it lets us in, and when it never was asked.
create policy owner_select on public.tenant_canaries for select to owner using (true);
create or replace function app.access_lost_since(p_integration uuid, p_external text) returns timestamptz language sql stable security definer set search_path = '' as
$$ select min(c.proved_at) from public.tenant_canaries c where c.integration_id = p_integration and c.external_id = p_external and c.state = 'failing' $$;
comment on function app.access_lost_since(uuid, text) is 'Definer: reads the proofs of a source, whose rows not everybody may read who sees its facts.';
revoke all on function app.access_lost_since(uuid, text) from public;
grant execute on function app.access_lost_since(uuid, text) to authenticated, staff, worker;
select app.protect_provider('public.tenant_canaries', 'integrations', '{select}');
-- That a read proved it again is no change.
create trigger audit after insert or delete or update of state, failing_since on public.tenant_canaries for each row execute function app.audit();

revoke all on function app.source_stale_after(integer), app.row_stale_after(integer, integer), app.source_stale_after(uuid), app.row_stale_after(uuid),
  app.row_stale_after_least(), app.device_fact_stale_after(text, uuid) from public;
grant execute on function app.source_stale_after(integer), app.row_stale_after(integer, integer), app.source_stale_after(uuid), app.row_stale_after(uuid),
  app.row_stale_after_least(), app.device_fact_stale_after(text, uuid) to authenticated, staff, worker;
select app.open_to_system('public.integrations');
select app.watch('public.integrations', 'webhook_secret_sha256');

select app.protect_provider('public.integration_organizations', 'integrations', '{select,update}');
revoke update on public.integration_organizations from staff;
grant update (customer_id, mapped_by, mapped_at) on public.integration_organizations to staff;
select app.open_to_system('public.integration_organizations', 'select, insert, update');
select app.watch('public.integration_organizations');

-- Who mapped and when is not the caller's to say.
create or replace function app.stamp_mapping() returns trigger language plpgsql set search_path = '' as $$
begin
  if new.customer_id is distinct from old.customer_id then
    new.mapped_at := case when new.customer_id is null then null else now() end;
    new.mapped_by := case when new.customer_id is null then null else app.user_id() end;
  else
    new.mapped_at := old.mapped_at;
    new.mapped_by := old.mapped_by;
  end if;
  return new;
end $$;
create trigger stamp_mapping before update on public.integration_organizations for each row execute function app.stamp_mapping();

-- Signing in goes through a function; its secrets are the vault's.
select app.protect_provider('public.integration_sign_ins', 'integrations', '{select}');
revoke select on public.integration_sign_ins from staff;
grant select (id, integration_id, person_id, started_at, expires_at, finished_at, failed_at, problem, ended_at) on public.integration_sign_ins to staff;
select app.open_to_system('public.integration_sign_ins', 'select, insert, update');
select app.watch('public.integration_sign_ins', 'state_sha256');
create view public.acting_sign_ins with (security_invoker = true) as
  select s.id, s.integration_id, s.person_id, (select p.display_name from public.people p where p.id = s.person_id) as person_name, s.finished_at as since, s.failed_at, s.problem
  from public.integration_sign_ins s where s.finished_at is not null and s.ended_at is null;
comment on view public.acting_sign_ins is 'The person as whom automations act at a vendor, per integration, and whether the vendor still takes their sign-in.';
grant select on public.acting_sign_ins to staff;

select app.protect_provider('public.sync_runs', 'integrations', '{select}');
select app.protect_provider('public.sync_parts', 'integrations', '{select}');
select app.protect_provider('public.webhook_deliveries', 'integrations', '{select}');
select app.protect_provider('public.vendor_calls', 'integrations', '{select}');
create view public.vendor_call_hours with (security_invoker = true) as
  select c.integration_id, c.hour, c.class, sum(c.calls)::bigint as calls, sum(c.units)::bigint as units, sum(c.throttled)::bigint as throttled, sum(c.failed)::bigint as failed,
         sum(c.waited_ms)::bigint as waited_ms
  from public.vendor_calls c group by c.integration_id, c.hour, c.class;
comment on view public.vendor_call_hours is 'How often each vendor was asked, by hour and class of calls, over all tenants: for the page of the integration.';
grant select on public.vendor_call_hours to staff;
select app.open_to_system('public.sync_runs');
select app.watch('public.sync_runs');
-- People with the permission ask for a synchronization; everything else about it is background work's to write.
create policy staff_insert on public.sync_runs for insert to staff
  with check ((select app.has('integrations:sync')) and requested_by = (select app.user_id()));
grant insert (id, integration_id, kind, requested_by, reason, queued_at, accepted_run_id, accepted_reason) on public.sync_runs to staff;

-- The ended run whose held-back parts a person may accept now: the latest full one, or the latest of all. A part is held back
-- when two complete readings agree that too much is gone to ask for it without being told to.
create or replace function app.held_run(p_integration uuid) returns uuid language sql stable set search_path = '' as $$
  select r.id from public.sync_runs r
  where r.integration_id = p_integration and r.ended_at is not null
    and r.id in (
      (select l.id from public.sync_runs l where l.integration_id = p_integration order by l.queued_at desc, l.id desc limit 1),
      (select f.id from public.sync_runs f where f.integration_id = p_integration and f.kind = 'full' order by f.queued_at desc, f.id desc limit 1))
    and exists (select from public.sync_parts p where p.sync_run_id = r.id and p.state = 'suspect' and p.rows_to_ask is not null)
  order by r.queued_at desc, r.id desc limit 1
$$;
revoke all on function app.held_run(uuid) from public;
grant execute on function app.held_run(uuid) to staff, worker;

-- Whoever queues a run that accepts a fall: only of the run that is held back now, only for a full reading, and in their own name.
create or replace function app.check_acceptance() returns trigger language plpgsql set search_path = '' as $$
begin
  if new.accepted_run_id is null and new.accepted_reason is null then
    new.accepted_by := null;
    new.accepted_at := null;
    return new;
  end if;
  if new.kind <> 'full' or new.accepted_reason is null or new.accepted_run_id is distinct from app.held_run(new.integration_id) then
    raise exception 'This synchronization is not the latest one, or nothing of it is held back.' using errcode = 'PT409';
  end if;
  new.accepted_by := app.user_id();
  new.accepted_at := now();
  return new;
end $$;
create trigger check_acceptance before insert on public.sync_runs for each row execute function app.check_acceptance();
