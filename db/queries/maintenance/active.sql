update public.device_maintenances set state = 'active', state_text = $3, verified_at = coalesce(verified_at, $4), end_run_id = null
where customer_id = $1 and id = $2 and state in ('starting', 'ending')
