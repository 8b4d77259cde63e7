-- Antivirus products of some devices of a customer. A device without an agent has none to tell of.
-- $4: devices that the reading covers; $6: whether it may say that something is gone: then a device that it lacks is written, too.
with covered as (
  select d.id, d.external_id, d.vendor_class ~* '^(windows|linux|mac)' as has_agent from public.devices d
  where d.customer_id = $1 and d.integration_id = $2 and d.external_id = any ($4::text[]) and d.missing_since is null
), told as (
  select * from jsonb_to_recordset($3::jsonb) as i (device text, antivirus text, antivirus_products jsonb)
), input as materialized (
  select c.id as device_id, coalesce(i.antivirus, case when c.has_agent then 'none' else 'unknown' end) as antivirus, coalesce(i.antivirus_products, '[]') as antivirus_products
  from covered c left join told i on i.device = c.external_id where i.device is not null or $6
), known as materialized (
  select i.device_id, (x.antivirus, x.antivirus_products) is not distinct from (i.antivirus, i.antivirus_products) as is_same
  from input i join public.device_healths x on x.customer_id = $1 and x.device_id = i.device_id
), written as (
  insert into public.device_healths (customer_id, device_id, antivirus, antivirus_products, changed_at)
  select $1, i.device_id, i.antivirus, i.antivirus_products, $5
  from input i where not exists (select from known k where k.device_id = i.device_id and k.is_same)
  on conflict (customer_id, device_id) do update set antivirus = excluded.antivirus, antivirus_products = excluded.antivirus_products, changed_at = excluded.changed_at
  returning device_id, xmax = 0 as is_new
)
select (select count(*) from written w where w.is_new) as created, (select count(*) from written w where not w.is_new) as updated,
       (select count(*) from known where is_same) as unchanged, 0::bigint as removed
