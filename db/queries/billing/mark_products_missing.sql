update public.billing_products set missing_since = $3 where integration_id = $1 and external_id = any ($2::text[]) and missing_since is null
