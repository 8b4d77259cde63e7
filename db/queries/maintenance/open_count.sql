select count(*)::integer as windows from public.device_maintenances where customer_id = $1 and state in ('starting', 'active', 'ending') and id <> $2
