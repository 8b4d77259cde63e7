select external_id from public.mailbox_forwardings where customer_id = $1 and cipp_tenant_id = $2 and missing_since is null
