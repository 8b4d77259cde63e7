select customer_id from public.integration_organizations where integration_id = $1 and external_id = $2
