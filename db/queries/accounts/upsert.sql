-- One tenant's accounts of a page; returns what became of them, and which were written: their licenses may have changed.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, user_principal_name text, display_name text, mail text, user_type text, account_enabled boolean,
    created_in_vendor_at timestamptz, last_sign_in_at timestamptz, department text, job_title text, is_synced boolean, sku_ids uuid[], raw jsonb, content_hash text)
), known as (
  select p.id, p.external_id, i.last_sign_in_at, p.content_hash = decode(i.content_hash, 'hex') and p.missing_since is null as is_same
  from input i join public.tenant_people p on p.customer_id = $1 and p.tenant_id = $2 and p.external_id = i.external_id
), touched as (
  update public.tenant_people p
  set observed_at = greatest(p.observed_at, $5), is_complete = $6, seen_in_sync = $4, last_sign_in_at = coalesce(k.last_sign_in_at, p.last_sign_in_at)
  from known k where p.customer_id = $1 and p.id = k.id and k.is_same returning 1
), written as (
  insert into public.tenant_people as p (customer_id, tenant_id, external_id, user_principal_name, display_name, mail, user_type, account_enabled, created_in_vendor_at,
    last_sign_in_at, department, job_title, is_synced, sku_ids, raw, content_hash, observed_at, is_complete, seen_in_sync)
  select $1, $2, i.external_id, i.user_principal_name, i.display_name, i.mail, i.user_type, i.account_enabled, i.created_in_vendor_at,
    i.last_sign_in_at, i.department, i.job_title, i.is_synced, i.sku_ids, i.raw, decode(i.content_hash, 'hex'), $5, $6, $4
  from input i where not exists (select from known k where k.external_id = i.external_id and k.is_same)
  on conflict (customer_id, tenant_id, external_id) do update
    set user_principal_name = excluded.user_principal_name, display_name = excluded.display_name, mail = excluded.mail, user_type = excluded.user_type,
        account_enabled = excluded.account_enabled,
        disabled_seen_at = case when excluded.account_enabled then null when p.account_enabled then excluded.observed_at else p.disabled_seen_at end,
        created_in_vendor_at = excluded.created_in_vendor_at, last_sign_in_at = coalesce(excluded.last_sign_in_at, p.last_sign_in_at),
        department = excluded.department, job_title = excluded.job_title, is_synced = excluded.is_synced, sku_ids = excluded.sku_ids, raw = excluded.raw,
        content_hash = excluded.content_hash, observed_at = greatest(p.observed_at, excluded.observed_at), is_complete = excluded.is_complete,
        seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning p.external_id, xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged,
       (select coalesce(array_agg(w.external_id), '{}') from written w) as written
