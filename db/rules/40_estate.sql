-- Devices and conditions are a vendor's facts: people read them, background work writes them.
select app.protect('public.devices', 'devices', '{select}');
select app.protect('public.device_conditions', 'devices', '{select}');
-- Where a vendor's device is filed, over all customers: so that one that moved is never shown to two of them. Keys only, no facts.
create policy system_select on public.devices for select to system using (true);
grant select (customer_id, id, integration_id, external_id, seen_in_sync, missing_since) on public.devices to system;
create policy system_select on public.device_conditions for select to system using (true);
grant select (customer_id, device_id, external_uid, cleared_at) on public.device_conditions to system;

-- List views: outer joins, because counting leaves them out, and scalar sub-selects, because they are worked out for the rows of the page only.
create view public.device_list with (security_invoker = true) as
  select d.customer_id, d.id, d.name, c.name as customer_name, d.class, d.os_name, d.serial_number, d.last_user, d.is_offline, d.needs_reboot,
         d.approval, d.disk_used_percent, d.last_contact_at, d.observed_at, d.is_complete, d.missing_since, d.site_id, s.name as site_name,
         d.observed_at + (select app.row_stale_after(d.integration_id)) as stale_at,
         (select x.kind from public.device_conditions x where x.customer_id = d.customer_id and x.device_id = d.id and x.cleared_at is null
            order by x.raised_at desc limit 1) as condition_kind,
         (select x.severity from public.device_conditions x where x.customer_id = d.customer_id and x.device_id = d.id and x.cleared_at is null
            order by x.raised_at desc limit 1) as condition_severity,
         (select x.message from public.device_conditions x where x.customer_id = d.customer_id and x.device_id = d.id and x.cleared_at is null
            order by x.raised_at desc limit 1) as condition_message,
         (select count(*)::integer from public.device_conditions x
            where x.customer_id = d.customer_id and x.device_id = d.id and x.cleared_at is null) as open_conditions,
         (coalesce(d.is_offline, false) or exists (select from public.device_conditions x
            where x.customer_id = d.customer_id and x.device_id = d.id and x.cleared_at is null)) as needs_attention,
         h.health_status, h.antivirus, h.patches_critical, h.patches_failed, h.threats_active,
         -- A backup whose last success is three days old is late; one that never says when is taken for what it is: there.
         case when not h.has_backup then 'none' when h.backup_last_success_at < now() - interval '3 days' then 'late' when h.has_backup then 'current' end as backup_state,
         (select m.state from public.device_maintenances m
            where m.customer_id = d.customer_id and m.device_id = d.id and m.state in ('starting', 'active', 'ending')) as maintenance_state,
         (select m.ends_at from public.device_maintenances m
            where m.customer_id = d.customer_id and m.device_id = d.id and m.state in ('starting', 'active', 'ending')) as maintenance_until
  from public.devices d
  left join public.customers c on c.id = d.customer_id
  left join public.sites s on s.customer_id = d.customer_id and s.id = d.site_id
  left join public.device_healths h on h.customer_id = d.customer_id and h.device_id = d.id;
comment on view public.device_list is 'Devices with their customer and worst open condition, for the list screen.';
grant select on public.device_list to authenticated, staff;

create view public.site_list with (security_invoker = true) as
  select s.customer_id, s.id, s.name, s.observed_at, s.observed_at + (select app.source_stale_after(s.integration_id)) as stale_at from public.sites s;
comment on view public.site_list is 'Sites with when they were seen and when that is stale; one that was entered by hand has neither.';
grant select on public.site_list to authenticated, staff;
