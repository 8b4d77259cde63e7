select external_id, name from public.sites where customer_id = $1 and integration_id = $2 and external_id = any ($3::text[])
