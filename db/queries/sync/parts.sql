select part, state::text as state, memory, reads, rows_before, rows_read, rows_removed, error, ended_at from public.sync_parts
where sync_run_id = $1 order by position
