-- The day's line of each check that was ever known; of one that is unknown now it says the number before.
insert into public.posture_days as d (customer_id, posture_tenant_id, check_key, day, findings, is_known)
select $1, $2, k.check_key, ($3::timestamptz at time zone 'UTC')::date, k.findings, k.outcome <> 'unknown'
from public.posture_checks k where k.customer_id = $1 and k.posture_tenant_id = $2 and k.findings is not null
on conflict (customer_id, posture_tenant_id, check_key, day) do update set findings = excluded.findings, is_known = excluded.is_known
  where (d.findings, d.is_known) is distinct from (excluded.findings, excluded.is_known)
