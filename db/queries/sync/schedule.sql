-- Queues what is due: a full one when the last complete one is too old, else an incremental one.
insert into public.sync_runs (integration_id, kind, reason, queued_at)
select i.id,
       case when (i.activity_cursor is null and i.vendor not in ('microsoft', 'cipp', 'sharepoint')) or complete.queued_at is null
                 or complete.queued_at <= $1::timestamptz - make_interval(secs => i.full_sync_interval_s)
            then 'full' else 'incremental' end,
       'schedule', $1
from public.integrations i
left join lateral (
  -- What a vendor told of is read besides: it puts nothing off.
  select r.queued_at from public.sync_runs r where r.integration_id = i.id and r.reason <> 'notified' order by r.queued_at desc limit 1
) latest on true
left join lateral (
  select r.queued_at from public.sync_runs r
  where r.integration_id = i.id and r.kind = 'full'
    -- Of many tenants one may keep the whole from being complete for good; each says for itself what was read.
    and (r.state = 'complete' or r.state = 'partial' and i.vendor in ('microsoft', 'cipp', 'sharepoint')) order by r.queued_at desc limit 1
) complete on true
where i.enabled
  and (latest.queued_at is null or latest.queued_at <= $1::timestamptz - make_interval(secs => i.sync_interval_s))
on conflict (integration_id) where state in ('queued', 'running') do nothing
