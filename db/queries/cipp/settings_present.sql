select setting from public.tenant_settings where customer_id = $1 and cipp_tenant_id = $2 and missing_since is null
