select part, state, reason, permission, observed_at, row_count, sync_run_id from public.tenant_parts where customer_id = $1 and tenant_id = $2
