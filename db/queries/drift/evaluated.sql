-- $5: the facts were complete and fresh. Without a row (the tenant is new) one is made.
insert into public.drift_evaluations as e (customer_id, cipp_tenant_id, due_at, attempted_at, evaluated_at, settings_demanded, in_order, drifted, accepted, unknown, score_percent, reason)
values ($1, $2, $3, $4, case when $5 then $4::timestamptz end, $6, $7, $8, $9, $10, $11, $12)
on conflict (customer_id, cipp_tenant_id) do update
  set due_at = excluded.due_at, attempted_at = excluded.attempted_at, evaluated_at = coalesce(excluded.evaluated_at, e.evaluated_at),
      settings_demanded = excluded.settings_demanded, in_order = excluded.in_order, drifted = excluded.drifted, accepted = excluded.accepted, unknown = excluded.unknown,
      score_percent = excluded.score_percent, reason = excluded.reason, told_at = case when excluded.evaluated_at is null then e.told_at end
