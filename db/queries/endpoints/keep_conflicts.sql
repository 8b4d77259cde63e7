-- What is in doubt now: what is no longer is resolved, what is new begins now.
with input as (
  select * from jsonb_to_recordset($2::jsonb) as i (kind text, records uuid[], endpoint_ids uuid[], evidence jsonb)
), resolved as (
  update public.endpoint_conflicts x set resolved_at = $3
  where x.customer_id = $1 and x.resolved_at is null and not exists (select from input i where i.kind = x.kind and i.records = x.records) returning 1
), told as (
  update public.endpoint_conflicts x set endpoint_ids = i.endpoint_ids, evidence = i.evidence from input i
  where x.customer_id = $1 and x.resolved_at is null and i.kind = x.kind and i.records = x.records
    and (x.endpoint_ids, x.evidence) is distinct from (i.endpoint_ids, i.evidence) returning 1
), added as (
  insert into public.endpoint_conflicts (customer_id, kind, records, endpoint_ids, evidence, since)
  select $1, i.kind, i.records, i.endpoint_ids, i.evidence, $3 from input i
  where not exists (select from public.endpoint_conflicts x where x.customer_id = $1 and x.resolved_at is null and x.kind = i.kind and x.records = i.records)
  returning 1
)
select (select count(*) from resolved) as resolved, (select count(*) from told) as told, (select count(*) from added) as added
