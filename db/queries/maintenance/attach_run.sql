update public.device_maintenances set run_id = $3 where customer_id = $1 and id = $2 and state = 'starting'
