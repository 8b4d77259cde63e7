-- Queues a run for tenants that a vendor told of: one at a time, and not more often than every 20 seconds.
insert into public.sync_runs (integration_id, kind, reason, queued_at)
select i.id, 'incremental', 'notified', $1 from public.integrations i
where i.enabled and exists (select from public.tenant_subscriptions s where s.integration_id = i.id and s.due_at <= $1::timestamptz)
  and exists (select from public.sync_runs r where r.integration_id = i.id and r.kind = 'full' and r.ended_at is not null)
  and not exists (select from public.sync_runs r where r.integration_id = i.id and r.reason = 'notified' and r.queued_at > $1::timestamptz - interval '20 seconds')
on conflict (integration_id) where state in ('queued', 'running') do nothing
