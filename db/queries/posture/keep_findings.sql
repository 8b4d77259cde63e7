-- Findings of the checks that are known ($4): those that are not among $3 are no more. What was found before keeps its date.
with input as (
  select k.id as posture_check_id, i.key, i.subject, i.detail
  from jsonb_to_recordset($3::jsonb) as i (check_key text, key text, subject text, detail text)
  join public.posture_checks k on k.customer_id = $1 and k.posture_tenant_id = $2 and k.check_key = i.check_key
), over as (
  delete from public.posture_findings f using public.posture_checks k
  where k.customer_id = $1 and k.posture_tenant_id = $2 and k.check_key = any ($4::text[]) and f.customer_id = $1 and f.posture_check_id = k.id
    and not exists (select from input i where i.posture_check_id = f.posture_check_id and i.key = f.key) returning 1
)
insert into public.posture_findings as f (customer_id, posture_check_id, key, subject, detail, first_seen_at)
select $1, i.posture_check_id, i.key, i.subject, i.detail, $5 from input i
on conflict (customer_id, posture_check_id, key) do update set subject = excluded.subject, detail = excluded.detail
  where (f.subject, f.detail) is distinct from (excluded.subject, excluded.detail)
