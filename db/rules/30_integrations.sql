select app.open_to_system('vault.credentials', 'select, insert, update'), app.open_to_system('vault.keys', 'select, insert, update');
create policy worker_select on vault.credentials for select to worker using (true);
grant select (id, created_at, rotated_at) on vault.credentials to worker;
select app.watch('vault.credentials', 'sealed'), app.watch('vault.keys', 'sealed');

select app.protect_provider('public.integrations', 'integrations', '{select,update}');
-- Which credentials an integration uses, where it points and its webhook secret change only through functions.
revoke update on public.integrations from staff;
grant update (name, sync_interval_s, full_sync_interval_s, enabled) on public.integrations to staff;
revoke select on public.integrations from staff;
grant select (id, vendor, name, base_url, webhook_registered_at, sync_interval_s, full_sync_interval_s, enabled, created_at) on public.integrations to staff;
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

select app.protect_provider('public.sync_runs', 'integrations', '{select}');
select app.protect_provider('public.sync_parts', 'integrations', '{select}');
select app.protect_provider('public.webhook_deliveries', 'integrations', '{select}');
select app.open_to_system('public.sync_runs');
select app.watch('public.sync_runs');
-- People with the permission ask for a synchronization; everything else about it is background work's to write.
create policy staff_insert on public.sync_runs for insert to staff
  with check ((select app.has('integrations:sync')) and requested_by = (select app.user_id()));
grant insert (id, integration_id, kind, requested_by, reason, queued_at) on public.sync_runs to staff;
