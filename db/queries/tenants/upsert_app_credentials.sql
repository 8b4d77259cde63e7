-- One tenant's secrets and certificates of applications as just read; returns what became of them.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, app_external text, client_external text, app_name text, kind text, key_id text, name text, hint text, starts_at timestamptz, ends_at timestamptz, content_hash text)
), known as (
  select s.id, s.external_id, s.content_hash = decode(i.content_hash, 'hex') and s.missing_since is null as is_same
  from input i join public.tenant_app_credentials s on s.customer_id = $1 and s.tenant_id = $2 and s.external_id = i.external_id
), touched as (
  update public.tenant_app_credentials s set observed_at = greatest(s.observed_at, $5), is_complete = $6, seen_in_sync = $4
  from known k where s.customer_id = $1 and s.id = k.id and k.is_same returning 1
), written as (
  insert into public.tenant_app_credentials as s (customer_id, tenant_id, external_id, app_external, client_external, app_name, kind, key_id, name, hint, starts_at, ends_at, content_hash, observed_at, is_complete, seen_in_sync)
  select $1, $2, i.external_id, i.app_external, i.client_external, i.app_name, i.kind, i.key_id, i.name, i.hint, i.starts_at, i.ends_at, decode(i.content_hash, 'hex'), $5, $6, $4
  from input i where not exists (select from known k where k.external_id = i.external_id and k.is_same)
  on conflict (customer_id, tenant_id, external_id) do update
    set app_external = excluded.app_external, client_external = excluded.client_external, app_name = excluded.app_name, kind = excluded.kind, key_id = excluded.key_id, name = excluded.name, hint = excluded.hint, starts_at = excluded.starts_at, ends_at = excluded.ends_at, content_hash = excluded.content_hash,
        observed_at = greatest(s.observed_at, excluded.observed_at), is_complete = excluded.is_complete, seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged
