select id is not distinct from app.held_run(integration_id) as is_held from public.sync_runs where id = $1 and integration_id = $2
