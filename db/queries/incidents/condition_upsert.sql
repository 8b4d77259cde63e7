insert into public.device_conditions as c (customer_id, id, device_id, external_uid, kind, severity, message, raised_at, observed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (customer_id, external_uid) do update
  set severity = excluded.severity, message = excluded.message, observed_at = greatest(c.observed_at, excluded.observed_at)
returning id, cleared_at is not null as was_cleared
