-- How a part was read last, of every customer of an integration (role system: keys and states only).
select customer_id, state, reason, attempted_at, held_rows, sync_run_id from public.device_fact_parts
where integration_id = $1 and part = $2
