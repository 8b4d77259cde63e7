update public.device_maintenances set end_verified_at = $4, state_text = $3 where customer_id = $1 and id = $2 and state = 'ending'
