-- Mapping and mapper are not touched: an organization is shown, never guessed.
insert into public.integration_organizations as o (integration_id, external_id, name, observed_at)
select $1, i.external_id, i.name, $4 from unnest($2::text[], $3::text[]) as i (external_id, name)
on conflict (integration_id, external_id) do update
  set name = excluded.name, observed_at = greatest(o.observed_at, excluded.observed_at), missing_since = null
