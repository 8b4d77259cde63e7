-- What the vendor counts of some devices of a customer.
-- $4: devices that the reading covers; $6: whether it may say that something is gone: then a device that it lacks is written, too.
with covered as (
  select d.id, d.external_id, d.vendor_class ~* '^(windows|linux|mac)' as has_agent from public.devices d
  where d.customer_id = $1 and d.integration_id = $2 and d.external_id = any ($4::text[]) and d.missing_since is null
), told as (
  select * from jsonb_to_recordset($3::jsonb) as i (device text, health_status text, threats_active integer, threats_quarantined integer, threats_blocked integer, os_patches_pending integer, os_patches_failed integer, software_patches_pending integer, software_patches_failed integer, vulnerabilities_critical integer, vulnerabilities_high integer, reboot_reason text)
), input as materialized (
  select c.id as device_id, i.health_status as health_status, i.threats_active as threats_active, i.threats_quarantined as threats_quarantined, i.threats_blocked as threats_blocked, i.os_patches_pending as os_patches_pending, i.os_patches_failed as os_patches_failed, i.software_patches_pending as software_patches_pending, i.software_patches_failed as software_patches_failed, i.vulnerabilities_critical as vulnerabilities_critical, i.vulnerabilities_high as vulnerabilities_high, i.reboot_reason as reboot_reason
  from covered c left join told i on i.device = c.external_id where i.device is not null or $6
), known as materialized (
  select i.device_id, (x.health_status, x.threats_active, x.threats_quarantined, x.threats_blocked, x.os_patches_pending, x.os_patches_failed, x.software_patches_pending, x.software_patches_failed, x.vulnerabilities_critical, x.vulnerabilities_high, x.reboot_reason) is not distinct from (i.health_status, i.threats_active, i.threats_quarantined, i.threats_blocked, i.os_patches_pending, i.os_patches_failed, i.software_patches_pending, i.software_patches_failed, i.vulnerabilities_critical, i.vulnerabilities_high, i.reboot_reason) as is_same
  from input i join public.device_healths x on x.customer_id = $1 and x.device_id = i.device_id
), written as (
  insert into public.device_healths (customer_id, device_id, health_status, threats_active, threats_quarantined, threats_blocked, os_patches_pending, os_patches_failed, software_patches_pending, software_patches_failed, vulnerabilities_critical, vulnerabilities_high, reboot_reason, changed_at)
  select $1, i.device_id, i.health_status, i.threats_active, i.threats_quarantined, i.threats_blocked, i.os_patches_pending, i.os_patches_failed, i.software_patches_pending, i.software_patches_failed, i.vulnerabilities_critical, i.vulnerabilities_high, i.reboot_reason, $5
  from input i where not exists (select from known k where k.device_id = i.device_id and k.is_same)
  on conflict (customer_id, device_id) do update set health_status = excluded.health_status, threats_active = excluded.threats_active, threats_quarantined = excluded.threats_quarantined, threats_blocked = excluded.threats_blocked, os_patches_pending = excluded.os_patches_pending, os_patches_failed = excluded.os_patches_failed, software_patches_pending = excluded.software_patches_pending, software_patches_failed = excluded.software_patches_failed, vulnerabilities_critical = excluded.vulnerabilities_critical, vulnerabilities_high = excluded.vulnerabilities_high, reboot_reason = excluded.reboot_reason, changed_at = excluded.changed_at
  returning device_id, xmax = 0 as is_new
)
select (select count(*) from written w where w.is_new) as created, (select count(*) from written w where not w.is_new) as updated,
       (select count(*) from known where is_same) as unchanged, 0::bigint as removed
