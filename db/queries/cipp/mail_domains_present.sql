select domain as external_id from public.tenant_mail_domains where customer_id = $1 and cipp_tenant_id = $2 and missing_since is null
