-- After a lost database connection: mine still, or nobody's.
update public.sync_runs
set lease_owner = $2, lease_until = now() + make_interval(secs => $3::bigint / 1000.0), resumed_count = resumed_count + 1
where id = $1 and state = 'running' and (lease_owner = $2 or lease_until < now())
returning id, integration_id, kind, resumed_count, requested_by is null and reason = 'schedule' as is_scheduled, reason = 'notified' as is_notified, (select i.vendor from public.integrations i where i.id = integration_id) as vendor
