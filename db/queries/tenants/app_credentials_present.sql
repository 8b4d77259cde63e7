select external_id from public.tenant_app_credentials where customer_id = $1 and tenant_id = $2 and missing_since is null
