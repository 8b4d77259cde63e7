select id from public.devices where customer_id = $1 and integration_id = $2 and external_id = $3 and missing_since is null
