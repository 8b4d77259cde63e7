select m.id, m.device_id, m.reason, m.features, m.state, m.ends_at, m.run_id, m.end_run_id from public.device_maintenances m
where m.customer_id = $1 and m.id = $2 for update
