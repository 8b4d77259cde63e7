-- Devices and conditions are a vendor's facts: people read them, background work writes them.
select app.protect('public.devices', 'devices', '{select}');
select app.protect('public.device_conditions', 'devices', '{select}');
-- Where a vendor's device is filed, over all customers: so that one that moved is never shown to two of them. Keys only, no facts.
create policy system_select on public.devices for select to system using (true);
grant select (customer_id, id, integration_id, external_id, seen_in_sync, missing_since) on public.devices to system;
create policy system_select on public.device_conditions for select to system using (true);
grant select (customer_id, device_id, external_uid, cleared_at) on public.device_conditions to system;

create view public.device_list with (security_invoker = true) as
  select d.customer_id, d.id, d.name, c.name as customer_name, d.class, d.os_name, d.serial_number, d.last_user, d.is_offline, d.needs_reboot,
         d.approval, d.disk_used_percent, d.last_contact_at, d.observed_at, d.is_complete, d.missing_since, d.site_id, s.name as site_name,
         o.condition_kind, o.condition_severity, o.condition_message, o.open_conditions,
         (o.open_conditions > 0 or coalesce(d.is_offline, false)) as needs_attention
  from public.devices d
  join public.customers c on c.id = d.customer_id
  left join public.sites s on s.customer_id = d.customer_id and s.id = d.site_id
  left join lateral (
    select count(*)::integer as open_conditions,
           (array_agg(x.kind order by x.raised_at desc))[1] as condition_kind,
           (array_agg(x.severity order by x.raised_at desc))[1] as condition_severity,
           (array_agg(x.message order by x.raised_at desc))[1] as condition_message
    from public.device_conditions x
    where x.customer_id = d.customer_id and x.device_id = d.id and x.cleared_at is null) o on true;
comment on view public.device_list is 'Devices with their customer and worst open condition, for the list screen.';
grant select on public.device_list to authenticated, staff;
