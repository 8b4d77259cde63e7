-- One page of a round. An item that is there again is no longer missing; one whose sharing may have changed waits to be asked for it.
with input as (
  select * from jsonb_to_recordset($4::jsonb) as i (external_id text, parent_external text, name text, kind text, mime text, size_bytes bigint, etag text, ctag text,
    quick_xor_hash text, web_url text, modified_at timestamptz, modified_by text, is_shared boolean, is_infected boolean)
), known as (
  select i.external_id, d.missing_since is null and (d.etag, d.ctag, d.name, d.parent_external, d.is_shared, d.size_bytes, d.is_infected)
      is not distinct from (i.etag, i.ctag, i.name, i.parent_external, i.is_shared, i.size_bytes, i.is_infected) as is_same
  from input i join public.documents d on d.customer_id = $1 and d.drive_id = $3 and d.external_id = i.external_id
), written as (
  insert into public.documents as d (customer_id, site_id, drive_id, external_id, parent_external, name, kind, mime, size_bytes, etag, ctag, quick_xor_hash, web_url,
    modified_at, modified_by, is_shared, is_infected, shares_due, seen_round_id, observed_at)
  select $1, $2, $3, i.external_id, i.parent_external, i.name, i.kind, i.mime, i.size_bytes, i.etag, i.ctag, i.quick_xor_hash, i.web_url,
    i.modified_at, i.modified_by, i.is_shared, i.is_infected, i.is_shared, $5, $6
  from input i
  on conflict (customer_id, drive_id, external_id) do update
    set parent_external = excluded.parent_external, name = excluded.name, kind = excluded.kind, mime = excluded.mime, size_bytes = excluded.size_bytes,
        etag = excluded.etag, ctag = excluded.ctag, quick_xor_hash = excluded.quick_xor_hash, web_url = excluded.web_url, modified_at = excluded.modified_at,
        modified_by = excluded.modified_by, is_infected = excluded.is_infected, is_shared = excluded.is_shared,
        shares_due = d.shares_due or excluded.is_shared
          or exists (select from public.document_shares h where h.customer_id = d.customer_id and h.document_id = d.id and h.missing_since is null),
        seen_round_id = excluded.seen_round_id, observed_at = greatest(d.observed_at, excluded.observed_at), missing_since = null
  returning 1
)
select (select count(*) from input) - (select count(*) from known) as created, (select count(*) from known where not is_same) as updated,
       (select count(*) from known where is_same) as unchanged, (select count(*) from written) as written
