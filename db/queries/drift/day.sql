insert into public.drift_days as d (customer_id, cipp_tenant_id, day, settings_demanded, in_order, drifted, accepted, unknown, score_percent)
select $1, $2, ($3::timestamptz at time zone 'UTC')::date, $4, $5, $6, $7, $8, $9
on conflict (customer_id, cipp_tenant_id, day) do update
  set settings_demanded = excluded.settings_demanded, in_order = excluded.in_order, drifted = excluded.drifted, accepted = excluded.accepted, unknown = excluded.unknown,
      score_percent = excluded.score_percent
  where (d.settings_demanded, d.in_order, d.drifted, d.accepted, d.unknown, d.score_percent)
    is distinct from (excluded.settings_demanded, excluded.in_order, excluded.drifted, excluded.accepted, excluded.unknown, excluded.score_percent)
