-- What is installed on some devices of a customer; returns what became of the rows.
-- $4: devices that the reading covers; $6: whether it may say that something is gone. Unchanged rows are not touched.
with covered as (
  select d.id, d.external_id from public.devices d
  where d.customer_id = $1 and d.integration_id = $2 and d.external_id = any ($4::text[]) and d.missing_since is null
), input as materialized (
  select c.id as device_id, i.* from jsonb_to_recordset($3::jsonb) as i (device text, name text, version text, publisher text, installed_on date, size_bytes bigint) join covered c on c.external_id = i.device
), removed as (
  delete from public.device_programs x using covered c
  where $6 and x.customer_id = $1 and x.device_id = c.id and not exists (select from input i where x.device_id = i.device_id and x.name = i.name and x.version = i.version and x.publisher = i.publisher)
  returning 1
), known as materialized (
  select i.device_id, i.name, i.version, i.publisher, (x.installed_on, x.size_bytes) is not distinct from (i.installed_on, i.size_bytes) as is_same
  from input i join public.device_programs x on x.customer_id = $1 and x.device_id = i.device_id and x.name = i.name and x.version = i.version and x.publisher = i.publisher
), written as (
  insert into public.device_programs (customer_id, device_id, name, version, publisher, installed_on, size_bytes, first_seen_at, changed_at)
  select $1, i.device_id, i.name, i.version, i.publisher, i.installed_on, i.size_bytes, $5, $5
  from input i where not exists (select from known k where k.device_id = i.device_id and k.name = i.name and k.version = i.version and k.publisher = i.publisher and k.is_same)
  on conflict (customer_id, device_id, name, version, publisher) do update
    set installed_on = excluded.installed_on, size_bytes = excluded.size_bytes, changed_at = excluded.changed_at
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated,
       (select count(*) from known where is_same) as unchanged, (select count(*) from removed) as removed
