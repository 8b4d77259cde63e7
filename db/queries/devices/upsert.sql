-- New and changed devices of one customer; returns how many were new.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (
    external_id text, site_external_id text, name text, class text, vendor_class text, os_name text, serial_number text,
    manufacturer text, model text, last_user text, ip_addresses text[], is_offline boolean, needs_reboot boolean, approval text,
    disk_used_percent numeric, volumes jsonb, last_contact_at timestamptz, raw jsonb, content_hash text)
), written as (
  insert into public.devices as d (
    customer_id, integration_id, external_id, site_id, name, class, vendor_class, os_name, serial_number, manufacturer, model, last_user,
    ip_addresses, is_offline, needs_reboot, approval, disk_used_percent, volumes, last_contact_at, raw, content_hash,
    observed_at, is_complete, seen_in_sync)
  select $1, $2, i.external_id, s.id, i.name, i.class, i.vendor_class, i.os_name, i.serial_number, i.manufacturer, i.model, i.last_user,
         coalesce(i.ip_addresses, '{}'), i.is_offline, i.needs_reboot, i.approval, i.disk_used_percent, i.volumes, i.last_contact_at, i.raw,
         decode(i.content_hash, 'hex'), $5, $6, $4
  from input i
  left join public.sites s on s.customer_id = $1 and s.integration_id = $2 and s.external_id = i.site_external_id
  on conflict (customer_id, integration_id, external_id) do update
    set site_id = excluded.site_id, name = excluded.name, class = excluded.class, vendor_class = excluded.vendor_class,
        os_name = excluded.os_name, serial_number = excluded.serial_number, manufacturer = excluded.manufacturer, model = excluded.model,
        last_user = excluded.last_user, ip_addresses = excluded.ip_addresses, is_offline = excluded.is_offline,
        needs_reboot = excluded.needs_reboot, approval = excluded.approval, disk_used_percent = excluded.disk_used_percent,
        volumes = excluded.volumes, last_contact_at = coalesce(excluded.last_contact_at, d.last_contact_at), raw = excluded.raw,
        content_hash = excluded.content_hash, observed_at = greatest(d.observed_at, excluded.observed_at),
        is_complete = excluded.is_complete, seen_in_sync = coalesce(excluded.seen_in_sync, d.seen_in_sync), missing_since = null
  returning xmax = 0 as is_new
)
select count(*) as written, count(*) filter (where is_new) as created from written
