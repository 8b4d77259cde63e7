select external_id from public.billing_products where integration_id = $1 and missing_since is null order by external_id
