-- The latest full reading of devices, if it lacks some that are not confirmed to be gone.
select last.id from (
  select r.id, p.state, p.error ->> 'kind' as kind from public.sync_runs r join public.sync_parts p on p.sync_run_id = r.id and p.part = 'devices'
  where r.integration_id = $1 and r.kind = 'full' and p.ended_at is not null
  order by r.queued_at desc limit 1) last
where last.state = 'suspect' or last.kind = 'not_confirmed'
