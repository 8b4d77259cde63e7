-- Where tenants are filed now, over all customers (role system: keys only).
select customer_id, id, external_id from public.cipp_tenants where integration_id = $1 and missing_since is null order by customer_id, external_id
