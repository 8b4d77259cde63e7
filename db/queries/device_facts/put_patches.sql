-- Patches that some devices of a customer lack; returns what became of the rows.
-- $4: devices that the reading covers; $6: whether it may say that something is gone. Unchanged rows are not touched.
with covered as (
  select d.id, d.external_id from public.devices d
  where d.customer_id = $1 and d.integration_id = $2 and d.external_id = any ($4::text[]) and d.missing_since is null
), input as materialized (
  select c.id as device_id, i.* from jsonb_to_recordset($3::jsonb) as i (device text, external_id text, name text, kb_number text, severity text, status text, standing text, kind text, attempted_at timestamptz) join covered c on c.external_id = i.device
), removed as (
  delete from public.device_patches x using covered c
  where $6 and x.customer_id = $1 and x.device_id = c.id and not exists (select from input i where x.device_id = i.device_id and x.external_id = i.external_id)
  returning 1
), known as materialized (
  select i.device_id, i.external_id, (x.name, x.kb_number, x.severity, x.status, x.standing, x.kind, x.attempted_at) is not distinct from (i.name, i.kb_number, i.severity, i.status, i.standing, i.kind, i.attempted_at) as is_same
  from input i join public.device_patches x on x.customer_id = $1 and x.device_id = i.device_id and x.external_id = i.external_id
), written as (
  insert into public.device_patches (customer_id, device_id, external_id, name, kb_number, severity, status, standing, kind, attempted_at, first_seen_at, changed_at)
  select $1, i.device_id, i.external_id, i.name, i.kb_number, i.severity, i.status, i.standing, i.kind, i.attempted_at, $5, $5
  from input i where not exists (select from known k where k.device_id = i.device_id and k.external_id = i.external_id and k.is_same)
  on conflict (customer_id, device_id, external_id) do update
    set name = excluded.name, kb_number = excluded.kb_number, severity = excluded.severity, status = excluded.status, standing = excluded.standing, kind = excluded.kind, attempted_at = excluded.attempted_at, changed_at = excluded.changed_at
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated,
       (select count(*) from known where is_same) as unchanged, (select count(*) from removed) as removed
