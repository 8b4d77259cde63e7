delete from public.activity_spans where customer_id = $1 and tenant_id = $2 and stream = $3 and state = 'gap'
