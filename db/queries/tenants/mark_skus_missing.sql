-- Two complete lists in a row lacked them.
update public.license_skus set missing_since = $4 where customer_id = $1 and tenant_id = $2 and sku_id = any ($3::uuid[]) and missing_since is null
