-- Only what changed is written; what did not says once an hour that it was looked at.
insert into public.mfa_results as r (customer_id, person_id, tenant_id, outcome, is_admin, reason_kind, reason_text, chain, missing, fix, legacy_open, since, evaluated_at, observed_at)
select $1, i.person_id, $2, i.outcome, i.is_admin, i.reason_kind, i.reason_text, i.chain, i.missing, i.fix, i.legacy_open, $4, $4, $5
from jsonb_to_recordset($3::jsonb) as i (person_id uuid, outcome text, is_admin boolean, reason_kind text, reason_text text, chain jsonb, missing text[], fix text, legacy_open boolean)
on conflict (customer_id, person_id) do update
  set tenant_id = excluded.tenant_id, outcome = excluded.outcome, is_admin = excluded.is_admin, reason_kind = excluded.reason_kind, reason_text = excluded.reason_text,
      chain = excluded.chain, missing = excluded.missing, fix = excluded.fix, legacy_open = excluded.legacy_open,
      since = case when r.outcome = excluded.outcome then r.since else excluded.since end, evaluated_at = excluded.evaluated_at, observed_at = excluded.observed_at
  where (r.outcome, r.is_admin, r.reason_kind, r.reason_text, r.chain, r.missing, r.fix, r.legacy_open)
      is distinct from (excluded.outcome, excluded.is_admin, excluded.reason_kind, excluded.reason_text, excluded.chain, excluded.missing, excluded.fix, excluded.legacy_open)
    or r.evaluated_at < excluded.evaluated_at - interval '1 hour'
