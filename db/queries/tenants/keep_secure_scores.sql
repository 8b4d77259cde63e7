-- Of a day the newest counts; what did not change is not written.
insert into public.tenant_secure_scores as s (customer_id, tenant_id, day, current_score, max_score, controls, observed_at, is_complete)
select $1, $2, i.day, i.current_score, i.max_score, i.controls, $4, true
from jsonb_to_recordset($3::jsonb) as i (day date, current_score numeric, max_score numeric, controls jsonb)
on conflict (customer_id, tenant_id, day) do update
  set current_score = excluded.current_score, max_score = excluded.max_score, controls = excluded.controls, observed_at = excluded.observed_at
  where (s.current_score, s.max_score, s.controls) is distinct from (excluded.current_score, excluded.max_score, excluded.controls)
