-- Whether a synchronization ended since the last comparison of all customers began, or the last one is a day old; and whether there is anything to compare.
-- While one runs its customers would be passed over: it is waited for, but not for long.
select exists (select from public.count_rules r where r.enabled) or exists (select from public.reconciliations) as has_rules,
       coalesce((seen.ended_at > last.started_at or last.started_at is null)
         and (seen.ended_at < $1::timestamptz - interval '2 minutes' or not exists (select from public.sync_runs r where r.state in ('queued', 'running'))), false) as after_sync,
       coalesce(last.started_at < $1::timestamptz - interval '24 hours', false) as is_old
from (select max(r.started_at) as started_at from public.reconciliations r where r.scope = 'all') last,
     (select max(r.ended_at) as ended_at from public.sync_runs r where r.ended_at > $1::timestamptz - interval '2 days') seen
