-- How the run before this one ended.
select r.state::text as state from public.sync_runs r
where r.integration_id = $1 and r.id <> $2 and r.ended_at is not null order by r.queued_at desc, r.id desc limit 1
