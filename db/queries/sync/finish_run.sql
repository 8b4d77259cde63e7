update public.sync_runs
set state = $3::text::public.sync_state, error = $4, ended_at = $5, lease_owner = null, lease_until = null
where id = $1 and lease_owner = $2 and state = 'running'
