update public.sync_parts p set state = $4::text::public.sync_state, error = $5, ended_at = $6, started_at = coalesce(p.started_at, $6)
from public.sync_runs r
where p.sync_run_id = $1 and p.part = $3 and r.id = $1 and r.lease_owner = $2 and r.state = 'running'
