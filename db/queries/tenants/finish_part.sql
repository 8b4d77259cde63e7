-- How a part of a tenant was read just now. $11: until when a scheduled run spares it. $7: when what is kept of it was seen, if it is kept; what was known before stays known otherwise.
insert into public.tenant_parts as p (customer_id, tenant_id, part, state, reason, permission, observed_at, attempted_at, row_count, sync_run_id, spare_until)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (customer_id, tenant_id, part) do update
  set state = excluded.state, reason = excluded.reason, permission = excluded.permission, observed_at = coalesce(excluded.observed_at, p.observed_at),
      attempted_at = excluded.attempted_at, row_count = case when excluded.observed_at is null then p.row_count else excluded.row_count end, sync_run_id = excluded.sync_run_id,
      spare_until = excluded.spare_until
