select id, kind, state::text as state from public.sync_runs where integration_id = $1 and state in ('queued', 'running')
