-- One customer's rows of a page. Rows whose content is the same are only marked as seen (no indexed column changes);
-- every known row comes back with what it was, new ones do not.
with input as (
  select * from unnest($4::text[], $5::bytea[], $6::timestamptz[], $7::text[])
    as i (external_id, content_hash, last_contact_at, site_external_id)
), known as (
  select d.id, d.external_id, i.last_contact_at,
         d.content_hash = i.content_hash and d.site_id is not distinct from s.id as is_same,
         d.seen_in_sync is not distinct from $3 as is_again,
         d.missing_since is not null as was_missing
  from input i
  join public.devices d on d.customer_id = $1 and d.integration_id = $2 and d.external_id = i.external_id
  left join public.sites s on s.customer_id = $1 and s.integration_id = $2 and s.external_id = i.site_external_id
), touched as (
  update public.devices d
  set observed_at = greatest(d.observed_at, $8), is_complete = $9, seen_in_sync = coalesce($3, d.seen_in_sync), missing_since = null,
      last_contact_at = coalesce(k.last_contact_at, d.last_contact_at)
  from known k
  where d.customer_id = $1 and d.id = k.id and k.is_same
  returning d.id
)
select k.external_id, k.is_same, k.is_again, k.was_missing from known k
