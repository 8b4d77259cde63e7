-- How a part was read just now. $6: when what is kept was seen, if the reading was whole; what was known before stays known otherwise.
insert into public.device_fact_parts as p (customer_id, integration_id, part, state, reason, observed_at, attempted_at, device_count, row_count, held_rows, sync_run_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (customer_id, integration_id, part) do update
  set state = excluded.state, reason = excluded.reason, observed_at = coalesce(excluded.observed_at, p.observed_at), attempted_at = excluded.attempted_at,
      device_count = case when excluded.observed_at is null then p.device_count else excluded.device_count end,
      row_count = case when excluded.observed_at is null then p.row_count else excluded.row_count end,
      held_rows = excluded.held_rows, sync_run_id = excluded.sync_run_id
