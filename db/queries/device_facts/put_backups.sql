-- Backups of some devices of a customer. A device without an agent cannot have one.
-- $4: devices that the reading covers; $6: whether it may say that something is gone: then a device that it lacks is written, too.
with covered as (
  select d.id, d.external_id, d.vendor_class ~* '^(windows|linux|mac)' as has_agent from public.devices d
  where d.customer_id = $1 and d.integration_id = $2 and d.external_id = any ($4::text[]) and d.missing_since is null
), told as (
  select * from jsonb_to_recordset($3::jsonb) as i (device text, backup_cloud_bytes bigint, backup_local_bytes bigint, backup_last_success_at timestamptz, backup_last_failure_at timestamptz)
), input as materialized (
  select c.id as device_id, case when i.device is not null then true when c.has_agent then false end as has_backup, i.backup_cloud_bytes as backup_cloud_bytes, i.backup_local_bytes as backup_local_bytes, i.backup_last_success_at as backup_last_success_at, i.backup_last_failure_at as backup_last_failure_at
  from covered c left join told i on i.device = c.external_id where i.device is not null or $6
), known as materialized (
  select i.device_id, (x.has_backup, x.backup_cloud_bytes, x.backup_local_bytes, x.backup_last_success_at, x.backup_last_failure_at) is not distinct from (i.has_backup, i.backup_cloud_bytes, i.backup_local_bytes, i.backup_last_success_at, i.backup_last_failure_at) as is_same
  from input i join public.device_healths x on x.customer_id = $1 and x.device_id = i.device_id
), written as (
  insert into public.device_healths (customer_id, device_id, has_backup, backup_cloud_bytes, backup_local_bytes, backup_last_success_at, backup_last_failure_at, changed_at)
  select $1, i.device_id, i.has_backup, i.backup_cloud_bytes, i.backup_local_bytes, i.backup_last_success_at, i.backup_last_failure_at, $5
  from input i where not exists (select from known k where k.device_id = i.device_id and k.is_same)
  on conflict (customer_id, device_id) do update set has_backup = excluded.has_backup, backup_cloud_bytes = excluded.backup_cloud_bytes, backup_local_bytes = excluded.backup_local_bytes, backup_last_success_at = excluded.backup_last_success_at, backup_last_failure_at = excluded.backup_last_failure_at, changed_at = excluded.changed_at
  returning device_id, xmax = 0 as is_new
)
select (select count(*) from written w where w.is_new) as created, (select count(*) from written w where not w.is_new) as updated,
       (select count(*) from known where is_same) as unchanged, 0::bigint as removed
