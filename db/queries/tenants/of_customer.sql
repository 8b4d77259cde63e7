select id, external_id, name, integration_id, has_premium, security_defaults from public.tenants where customer_id = $1 and missing_since is null order by id
