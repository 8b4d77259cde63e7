update public.sync_runs set kind = 'full', reason = $3 where id = $1 and lease_owner = $2 and state = 'running'
