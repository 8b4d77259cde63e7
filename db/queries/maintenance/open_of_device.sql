select id, state from public.device_maintenances where customer_id = $1 and device_id = $2 and state in ('starting', 'active', 'ending') for update
