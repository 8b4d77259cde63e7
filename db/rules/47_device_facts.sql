-- What an RMM reports of devices beyond their record: people read it, background work writes it.
do $$
declare
  target text;
begin
  foreach target in array array['device_fact_parts', 'device_healths', 'device_volumes', 'device_patches', 'device_programs', 'software_titles'] loop
    perform app.protect(('public.' || target)::regclass, 'devices', '{select}');
  end loop;
end $$;
-- What technicians write into custom fields is the provider's: no member sees it, whatever their permissions.
create policy staff_select on public.device_custom_fields for select to staff using ((select app.has('devices:read')));
create policy worker_all on public.device_custom_fields for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
grant select on public.device_custom_fields to staff;
grant select, insert, update, delete on public.device_custom_fields to worker;
-- Which customers a reading covers, over all of them. Keys and states only, no facts.
create policy system_select on public.device_fact_parts for select to system using (true);
grant select (customer_id, integration_id, part, state, reason, attempted_at, held_rows, sync_run_id) on public.device_fact_parts to system;

-- How each kind of fact of one device was read. A reading that is older than the device does not cover it.
create view public.device_fact_list with (security_invoker = true) as
  select d.customer_id, d.id as device_id, p.part, p.state, p.reason, p.attempted_at,
         case when p.observed_at >= d.created_at then p.observed_at end as observed_at,
         case when p.observed_at >= d.created_at then p.observed_at + (select app.device_fact_stale_after(p.part, p.integration_id)) end as stale_at,
         p.state in ('complete', 'absent') as is_complete
  from public.devices d
  join public.device_fact_parts p on p.customer_id = d.customer_id and p.integration_id = d.integration_id;
comment on view public.device_fact_list is 'When each kind of fact of a device was read, and whether that reading was whole: for the record page. Ask for one device.';
grant select on public.device_fact_list to authenticated, staff;

create view public.device_fact_overview with (security_invoker = true) as
  select p.customer_id, p.part, count(*)::integer as readings, count(*) filter (where p.state in ('complete', 'absent'))::integer as complete,
         bool_and(p.state in ('complete', 'absent')) as is_complete, min(p.observed_at) as observed_at,
         min(p.observed_at + app.device_fact_stale_after(p.part, p.integration_id)) as stale_at
  from public.device_fact_parts p group by p.customer_id, p.part
  union all
  select null, p.part, count(*)::integer, count(*) filter (where p.state in ('complete', 'absent'))::integer,
         bool_and(p.state in ('complete', 'absent')), min(p.observed_at), min(p.observed_at + app.device_fact_stale_after(p.part, p.integration_id))
  from public.device_fact_parts p group by p.part;
comment on view public.device_fact_overview is 'How old and how whole each kind of fact about devices is: per customer, and over all where customer_id is null.';
grant select on public.device_fact_overview to authenticated, staff;

-- Over all customers where customer_id is null.
create view public.software_list with (security_invoker = true) as
  select s.customer_id, c.name as customer_name, s.name, s.version, s.publisher, s.device_count, 1 as customer_count, s.first_seen_at
  from public.software_titles s
  left join public.customers c on c.id = s.customer_id
  union all
  select null, null, s.name, s.version, s.publisher, sum(s.device_count)::integer, count(*)::integer, min(s.first_seen_at)
  from public.software_titles s group by s.name, s.version, s.publisher;
comment on view public.software_list is 'What is installed, in which version, on how many devices of how many customers: per customer, and over all where customer_id is null.';
grant select on public.software_list to authenticated, staff;

create view public.program_device_list with (security_invoker = true) as
  select s.customer_id, c.name as customer_name, s.device_id, d.name as device_name, s.name, s.version, s.publisher, s.installed_on, s.size_bytes, s.first_seen_at,
         p.observed_at, p.observed_at + (select app.device_fact_stale_after('software', d.integration_id)) as stale_at,
         coalesce(p.state = 'complete', false) as is_complete
  from public.device_programs s
  join public.devices d on d.customer_id = s.customer_id and d.id = s.device_id and d.missing_since is null
  left join public.customers c on c.id = s.customer_id
  left join public.device_fact_parts p on p.customer_id = s.customer_id and p.integration_id = d.integration_id and p.part = 'software';
comment on view public.program_device_list is 'The devices on which something is installed, with the age of that fact.';
grant select on public.program_device_list to authenticated, staff;
