-- Products as just read; returns what became of them.
with input as (
  select * from jsonb_to_recordset($2::jsonb) as i (external_id text, name text, code text, rate numeric, currency text, is_active boolean, raw jsonb, content_hash text)
), known as (
  select p.id, p.external_id, p.content_hash = decode(i.content_hash, 'hex') as is_same, p.missing_since is not null as was_missing
  from input i join public.billing_products p on p.integration_id = $1 and p.external_id = i.external_id
), touched as (
  update public.billing_products p set observed_at = greatest(p.observed_at, $4), is_complete = $5, seen_in_sync = $3, missing_since = null
  from known k where p.id = k.id and k.is_same returning k.was_missing
), written as (
  insert into public.billing_products as p (integration_id, external_id, name, code, rate, currency, is_active, raw, content_hash, observed_at, is_complete, seen_in_sync)
  select $1, i.external_id, i.name, i.code, i.rate, i.currency, i.is_active, i.raw, decode(i.content_hash, 'hex'), $4, $5, $3
  from input i where not exists (select from known k where k.external_id = i.external_id and k.is_same)
  on conflict (integration_id, external_id) do update
    set name = excluded.name, code = excluded.code, rate = excluded.rate, currency = excluded.currency, is_active = excluded.is_active, raw = excluded.raw,
        content_hash = excluded.content_hash, observed_at = greatest(p.observed_at, excluded.observed_at), is_complete = excluded.is_complete,
        seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created,
       (select count(*) from written where not is_new) + (select count(*) from touched where was_missing) as updated,
       (select count(*) from touched where not was_missing) as unchanged
