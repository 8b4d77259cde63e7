-- Two complete lists in a row lacked them.
update public.tenant_app_credentials set missing_since = $4 where customer_id = $1 and tenant_id = $2 and external_id = any ($3::text[]) and missing_since is null
