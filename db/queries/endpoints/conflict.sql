select kind, records from public.endpoint_conflicts where customer_id = $1 and id = $2 and resolved_at is null
