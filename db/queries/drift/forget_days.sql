delete from public.drift_days where customer_id = $1 and cipp_tenant_id = $2 and day < ($3::timestamptz at time zone 'UTC')::date - 400
