select sku_id from public.license_skus where customer_id = $1 and tenant_id = $2 and missing_since is null
