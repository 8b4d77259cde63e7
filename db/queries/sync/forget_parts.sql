delete from public.sync_parts where sync_run_id = $1
