-- Two complete readings in a row lacked them.
update public.tenant_mail_domains set missing_since = $4 where customer_id = $1 and cipp_tenant_id = $2 and domain = any ($3::text[]) and missing_since is null
