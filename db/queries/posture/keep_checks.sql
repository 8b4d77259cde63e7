-- Only what changed is written; what did not says once an hour that it was looked at. Of an unknown outcome the findings stay those that were known last.
insert into public.posture_checks as k (customer_id, posture_tenant_id, check_key, title, severity, why, advice, outcome, findings, looked_at, known_at, missing_read, missing_reason, permission,
  reads, since, evaluated_at, observed_at)
select $1, $2, i.check_key, i.title, i.severity, i.why, i.advice, i.outcome, i.findings, i.looked_at, case when i.findings is not null then $4::timestamptz end, i.missing_read, i.missing_reason, i.permission,
  i.reads, $4, $4, i.observed_at
from jsonb_to_recordset($3::jsonb) as i (check_key text, title text, severity text, why text, advice text, outcome text, findings integer, looked_at integer, missing_read text,
  missing_reason text, permission text, reads jsonb, observed_at timestamptz)
on conflict (customer_id, posture_tenant_id, check_key) do update
  set title = excluded.title, severity = excluded.severity, why = excluded.why, advice = excluded.advice, outcome = excluded.outcome,
      findings = coalesce(excluded.findings, k.findings), looked_at = coalesce(excluded.looked_at, k.looked_at), known_at = coalesce(excluded.known_at, k.known_at),
      missing_read = excluded.missing_read, missing_reason = excluded.missing_reason, permission = excluded.permission, reads = excluded.reads,
      since = case when k.outcome = excluded.outcome then k.since else excluded.since end, evaluated_at = excluded.evaluated_at, observed_at = coalesce(excluded.observed_at, k.observed_at)
  where (k.title, k.severity, k.why, k.advice, k.outcome, k.findings, k.looked_at, k.missing_read, k.missing_reason, k.permission)
      is distinct from (excluded.title, excluded.severity, excluded.why, excluded.advice, excluded.outcome, coalesce(excluded.findings, k.findings), coalesce(excluded.looked_at, k.looked_at),
        excluded.missing_read, excluded.missing_reason, excluded.permission)
    or k.evaluated_at < excluded.evaluated_at - interval '1 hour'
