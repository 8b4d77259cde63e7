delete from public.tenant_secure_scores where customer_id = $1 and tenant_id = $2 and day < ($3::timestamptz at time zone 'UTC')::date - 400
