select external_id, secret_sha256, expires_at, renew_now from public.tenant_subscriptions where integration_id = $1 and tenant_external = $2
