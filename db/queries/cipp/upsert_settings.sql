-- One tenant's settings as just read; returns what became of them. A value that differs from the one before is written down as a change.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (setting text, value jsonb, expected jsonb, refreshed_at timestamptz, raw jsonb, content_hash text)
), known as (
  select s.id, s.setting, s.value as before, i.value as after, i.refreshed_at, s.content_hash = decode(i.content_hash, 'hex') and s.missing_since is null as is_same
  from input i join public.tenant_settings s on s.customer_id = $1 and s.cipp_tenant_id = $2 and s.setting = i.setting
), touched as (
  update public.tenant_settings s set observed_at = greatest(s.observed_at, $5), refreshed_at = k.refreshed_at, is_complete = $6, seen_in_sync = $4
  from known k where s.customer_id = $1 and s.id = k.id and k.is_same returning 1
), changes as (
  insert into public.tenant_setting_changes (customer_id, cipp_tenant_id, setting, before, after, seen_at)
  select $1, $2, k.setting, k.before, k.after, $5 from known k where k.before is distinct from k.after returning 1
), written as (
  insert into public.tenant_settings as s (customer_id, cipp_tenant_id, setting, value, expected, raw, content_hash, changed_at, refreshed_at, observed_at, is_complete, seen_in_sync)
  select $1, $2, i.setting, i.value, i.expected, i.raw, decode(i.content_hash, 'hex'), $5, i.refreshed_at, $5, $6, $4
  from input i where not exists (select from known k where k.setting = i.setting and k.is_same)
  on conflict (customer_id, cipp_tenant_id, setting) do update
    set value = excluded.value, expected = excluded.expected, raw = excluded.raw, content_hash = excluded.content_hash,
        changed_at = case when s.value is distinct from excluded.value then excluded.changed_at else s.changed_at end, refreshed_at = excluded.refreshed_at,
        observed_at = greatest(s.observed_at, excluded.observed_at), is_complete = excluded.is_complete, seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged,
       (select count(*) from changes) as changes
