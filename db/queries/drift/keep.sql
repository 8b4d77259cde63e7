-- Only what changed is written; what did not says once an hour that it was looked at. While a run works on a drift, the run says what becomes of it.
insert into public.drifts as d (customer_id, cipp_tenant_id, setting, state, state_text, severity, rule, desired_text, actual, actual_text, why, layer, baseline_id, layer_name, cause,
  unknown_kind, first_seen_at, since, evaluated_at, observed_at, exception_id)
select $1, $2, i.setting, i.state, i.state_text, i.severity, i.rule, i.desired_text, i.actual, i.actual_text, i.why, i.layer, i.baseline_id, i.layer_name, i.cause,
  i.unknown_kind, i.since, i.since, $4, i.observed_at, i.exception_id
from jsonb_to_recordset($3::jsonb) as i (setting text, state text, state_text text, severity text, rule jsonb, desired_text text, actual jsonb, actual_text text, why text, layer text,
  baseline_id uuid, layer_name text, cause jsonb, unknown_kind text, since timestamptz, observed_at timestamptz, exception_id uuid)
on conflict (customer_id, cipp_tenant_id, setting) where state <> 'closed' do update
  set state = case when d.state = 'remediating' then d.state else excluded.state end,
      unknown_kind = case when d.state = 'remediating' then null else excluded.unknown_kind end,
      state_text = case when d.state = 'remediating' then d.state_text when excluded.state = 'unknown' then excluded.state_text when d.state = 'unknown' then null else d.state_text end,
      since = case when (d.state = 'unknown') = (excluded.state = 'unknown') then d.since else excluded.since end,
      severity = excluded.severity, rule = excluded.rule, desired_text = excluded.desired_text, actual = coalesce(excluded.actual, d.actual),
      actual_text = coalesce(excluded.actual_text, d.actual_text), why = excluded.why, layer = excluded.layer, baseline_id = excluded.baseline_id, layer_name = excluded.layer_name,
      cause = coalesce(excluded.cause, d.cause), exception_id = excluded.exception_id, evaluated_at = excluded.evaluated_at, observed_at = coalesce(excluded.observed_at, d.observed_at)
  where (d.unknown_kind, d.severity, d.rule, d.desired_text, d.actual, d.why, d.layer, d.baseline_id, d.layer_name, d.exception_id)
      is distinct from (excluded.unknown_kind, excluded.severity, excluded.rule, excluded.desired_text, coalesce(excluded.actual, d.actual), excluded.why, excluded.layer,
        excluded.baseline_id, excluded.layer_name, excluded.exception_id)
    or d.state not in (excluded.state, 'remediating') or d.evaluated_at < excluded.evaluated_at - interval '1 hour'
