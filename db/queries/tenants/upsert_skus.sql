-- One tenant's licenses as just read; returns what became of them.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (sku_id uuid, part_number text, name text, purchased integer, suspended integer, warning integer, assigned integer, status text,
    raw jsonb, content_hash text, terms jsonb)
), known as (
  select s.id, s.sku_id, s.content_hash = decode(i.content_hash, 'hex') and s.missing_since is null
    and (i.terms is null or i.terms is not distinct from s.terms) as is_same
  from input i join public.license_skus s on s.customer_id = $1 and s.tenant_id = $2 and s.sku_id = i.sku_id
), touched as (
  update public.license_skus s set observed_at = greatest(s.observed_at, $5), is_complete = $6, seen_in_sync = $4
  from known k where s.customer_id = $1 and s.id = k.id and k.is_same returning 1
), written as (
  insert into public.license_skus as s (customer_id, tenant_id, sku_id, part_number, name, purchased, suspended, warning, assigned, status, raw, content_hash, terms, observed_at, is_complete, seen_in_sync)
  select $1, $2, i.sku_id, i.part_number, i.name, i.purchased, i.suspended, i.warning, i.assigned, i.status, i.raw, decode(i.content_hash, 'hex'), i.terms, $5, $6, $4
  from input i where not exists (select from known k where k.sku_id = i.sku_id and k.is_same)
  on conflict (customer_id, tenant_id, sku_id) do update
    set part_number = excluded.part_number, name = excluded.name, purchased = excluded.purchased, suspended = excluded.suspended, warning = excluded.warning,
        assigned = excluded.assigned, status = excluded.status, raw = excluded.raw, content_hash = excluded.content_hash,
        terms = coalesce(excluded.terms, s.terms),
        observed_at = greatest(s.observed_at, excluded.observed_at), is_complete = excluded.is_complete, seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged
