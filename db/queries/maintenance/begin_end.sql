update public.device_maintenances set state = 'ending', state_text = null, end_run_id = $3, end_requested_by = $4 where customer_id = $1 and id = $2 and state = 'active'
