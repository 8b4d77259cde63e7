select external_id from public.managed_devices where customer_id = $1 and tenant_id = $2 and missing_since is null order by external_id
