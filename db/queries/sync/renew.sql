update public.sync_runs set lease_until = now() + make_interval(secs => $3::bigint / 1000.0)
where id = $1 and lease_owner = $2 and state = 'running'
