with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, name text, state text, modified_at timestamptz, raw jsonb, content_hash text)
), known as (
  select a.id, a.external_id, a.content_hash = decode(i.content_hash, 'hex') and a.missing_since is null as is_same
  from input i join public.access_policies a on a.customer_id = $1 and a.tenant_id = $2 and a.external_id = i.external_id
), touched as (
  update public.access_policies a set observed_at = greatest(a.observed_at, $5), is_complete = $6, seen_in_sync = $4
  from known k where a.customer_id = $1 and a.id = k.id and k.is_same returning 1
), written as (
  insert into public.access_policies as a (customer_id, tenant_id, external_id, name, state, modified_at, raw, content_hash, observed_at, is_complete, seen_in_sync)
  select $1, $2, i.external_id, i.name, i.state, i.modified_at, i.raw, decode(i.content_hash, 'hex'), $5, $6, $4
  from input i where not exists (select from known k where k.external_id = i.external_id and k.is_same)
  on conflict (customer_id, tenant_id, external_id) do update
    set name = excluded.name, state = excluded.state, modified_at = excluded.modified_at, raw = excluded.raw, content_hash = excluded.content_hash,
        observed_at = greatest(a.observed_at, excluded.observed_at), is_complete = excluded.is_complete, seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged
