-- Records of machines with their links: what is there is rated anew, what is new begins now.
with input as (
  select * from jsonb_to_recordset($2::jsonb) as i (endpoint_id uuid, source text, device_id uuid, managed_device_id uuid, link_kind text, confidence text,
    evidence jsonb, decided_by text, decision_id uuid)
), rated as (
  update public.endpoint_records r
  set link_kind = i.link_kind, confidence = i.confidence, evidence = i.evidence, decided_by = i.decided_by, decision_id = i.decision_id
  from input i
  where r.customer_id = $1 and r.ended_at is null and r.endpoint_id = i.endpoint_id and (r.device_id = i.device_id or r.managed_device_id = i.managed_device_id)
    and (r.link_kind, r.confidence, r.evidence, r.decided_by, r.decision_id) is distinct from (i.link_kind, i.confidence, i.evidence, i.decided_by, i.decision_id)
  returning 1
), added as (
  insert into public.endpoint_records (customer_id, endpoint_id, source, device_id, managed_device_id, link_kind, confidence, evidence, decided_by, decision_id, since)
  select $1, i.endpoint_id, i.source, i.device_id, i.managed_device_id, i.link_kind, i.confidence, i.evidence, i.decided_by, i.decision_id, $3
  from input i
  where not exists (select from public.endpoint_records r where r.customer_id = $1 and r.ended_at is null and r.device_id = i.device_id)
    and not exists (select from public.endpoint_records r where r.customer_id = $1 and r.ended_at is null and r.managed_device_id = i.managed_device_id)
  returning 1
)
select (select count(*) from rated) as rated, (select count(*) from added) as added
