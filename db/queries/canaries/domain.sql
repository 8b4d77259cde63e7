select default_domain from public.cipp_tenants
where customer_id = $1 and integration_id = $2 and external_id = $3 and missing_since is null and not is_excluded
