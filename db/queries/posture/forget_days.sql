delete from public.posture_days where customer_id = $1 and posture_tenant_id = $2 and day < ($3::timestamptz at time zone 'UTC')::date - 400
