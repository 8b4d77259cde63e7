-- The libraries of a site as just read. One that is not listed any more is asked for when its changes are read.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, name text, web_url text, used_bytes bigint, total_bytes bigint)
), written as (
  insert into public.document_drives as r (customer_id, site_id, external_id, name, web_url, used_bytes, total_bytes, observed_at, seen_in_sync)
  select $1, $2, i.external_id, i.name, i.web_url, i.used_bytes, i.total_bytes, $4, $5 from input i
  on conflict (customer_id, site_id, external_id) do update
    set name = excluded.name, web_url = excluded.web_url, used_bytes = excluded.used_bytes, total_bytes = excluded.total_bytes,
        observed_at = excluded.observed_at, seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning 1
)
update public.document_sites s
set storage_used_bytes = (select sum(i.used_bytes)::bigint from input i), storage_total_bytes = (select max(i.total_bytes) from input i)
where s.customer_id = $1 and s.id = $2 and (select count(*) from written) > 0
