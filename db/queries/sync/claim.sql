-- One run for this worker: a queued one, or one whose worker stopped renewing its lease. Leases are measured by the database's clock.
update public.sync_runs
set state = 'running', lease_owner = $1, lease_until = now() + make_interval(secs => $2::bigint / 1000.0),
    started_at = coalesce(started_at, $3), resumed_count = resumed_count + case when state = 'running' then 1 else 0 end
where id = (
  select r.id from public.sync_runs r
  where r.state = 'queued' or (r.state = 'running' and r.lease_until < now())
  order by r.queued_at, r.id limit 1 for update skip locked)
returning id, integration_id, kind, resumed_count, requested_by is null and reason = 'schedule' as is_scheduled, reason = 'notified' as is_notified, (select i.vendor from public.integrations i where i.id = integration_id) as vendor
