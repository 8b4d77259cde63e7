-- One tenant's sites as just read; what staff chose stays. Returns what became of them.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, name text, web_url text, kind text)
), known as (
  select i.external_id, (s.name, s.web_url, s.kind) is not distinct from (i.name, i.web_url, i.kind) and s.missing_since is null as is_same
  from input i join public.document_sites s on s.customer_id = $1 and s.tenant_id = $2 and s.external_id = i.external_id
), written as (
  insert into public.document_sites as s (customer_id, tenant_id, external_id, name, web_url, kind, observed_at, is_complete, seen_in_sync)
  select $1, $2, i.external_id, i.name, i.web_url, i.kind, $5, $6, $4 from input i
  on conflict (customer_id, tenant_id, external_id) do update
    set name = excluded.name, web_url = excluded.web_url, kind = excluded.kind, observed_at = greatest(s.observed_at, excluded.observed_at),
        is_complete = excluded.is_complete, seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning external_id
)
select (select count(*) from input) - (select count(*) from known) as created, (select count(*) from known where not is_same) as updated,
       (select count(*) from known where is_same) as unchanged, (select count(*) from written) as written
