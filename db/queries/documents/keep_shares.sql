-- The shares of one item as just read; $5: those that were taken back by the vendor's own word; $6: nothing is left to ask.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, scope text, kind text, link_type text, has_password boolean, expires_at timestamptz,
    granted_to jsonb, is_external boolean)
), written as (
  insert into public.document_shares as h (customer_id, document_id, external_id, scope, kind, link_type, has_password, expires_at, granted_to, is_external,
    first_seen_at, observed_at, is_complete)
  select $1, $2, i.external_id, i.scope, i.kind, i.link_type, i.has_password, i.expires_at, i.granted_to, i.is_external, $4, $4, true from input i
  on conflict (customer_id, document_id, external_id) do update
    set scope = excluded.scope, kind = excluded.kind, link_type = excluded.link_type, has_password = excluded.has_password, expires_at = excluded.expires_at,
        granted_to = excluded.granted_to, is_external = excluded.is_external, observed_at = excluded.observed_at, is_complete = true,
        first_seen_at = case when h.missing_since is null then h.first_seen_at else excluded.first_seen_at end, missing_since = null
  returning 1
), gone as (
  update public.document_shares h set missing_since = $4 where h.customer_id = $1 and h.document_id = $2 and h.missing_since is null
    and h.external_id = any ($5::text[]) returning 1
), asked as (
  update public.documents d set shares_due = not $6 where d.customer_id = $1 and d.id = $2 returning 1
)
select (select count(*) from written) as written, (select count(*) from gone) as removed, (select count(*) from asked) as asked
