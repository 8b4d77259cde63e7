-- One tenant's enrolled devices of a page; returns what became of them.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, name text, serial_number text, entra_device_id uuid, os_name text, os_version text,
    compliance text, is_encrypted boolean, owner_kind text, user_principal_name text, manufacturer text, model text, last_sync_at timestamptz,
    enrolled_at timestamptz, raw jsonb, content_hash text)
), known as (
  select m.id, m.external_id, i.last_sync_at, m.content_hash = decode(i.content_hash, 'hex') and m.missing_since is null as is_same
  from input i join public.managed_devices m on m.customer_id = $1 and m.tenant_id = $2 and m.external_id = i.external_id
), touched as (
  update public.managed_devices m
  set observed_at = greatest(m.observed_at, $5), is_complete = $6, seen_in_sync = $4, last_sync_at = coalesce(k.last_sync_at, m.last_sync_at)
  from known k where m.customer_id = $1 and m.id = k.id and k.is_same returning 1
), written as (
  insert into public.managed_devices as m (customer_id, tenant_id, external_id, name, serial_number, entra_device_id, os_name, os_version, compliance, is_encrypted,
    owner_kind, user_principal_name, manufacturer, model, last_sync_at, enrolled_at, raw, content_hash, observed_at, is_complete, seen_in_sync)
  select $1, $2, i.external_id, i.name, i.serial_number, i.entra_device_id, i.os_name, i.os_version, i.compliance, i.is_encrypted,
    i.owner_kind, i.user_principal_name, i.manufacturer, i.model, i.last_sync_at, i.enrolled_at, i.raw, decode(i.content_hash, 'hex'), $5, $6, $4
  from input i where not exists (select from known k where k.external_id = i.external_id and k.is_same)
  on conflict (customer_id, tenant_id, external_id) do update
    set name = excluded.name, serial_number = excluded.serial_number, entra_device_id = excluded.entra_device_id, os_name = excluded.os_name,
        os_version = excluded.os_version, compliance = excluded.compliance, is_encrypted = excluded.is_encrypted, owner_kind = excluded.owner_kind,
        user_principal_name = excluded.user_principal_name, manufacturer = excluded.manufacturer, model = excluded.model,
        last_sync_at = coalesce(excluded.last_sync_at, m.last_sync_at), enrolled_at = excluded.enrolled_at, raw = excluded.raw,
        content_hash = excluded.content_hash, observed_at = greatest(m.observed_at, excluded.observed_at), is_complete = excluded.is_complete,
        seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged
