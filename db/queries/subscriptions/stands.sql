update public.tenant_subscriptions set external_id = $3, expires_at = $4, renewed_at = $5, renew_now = false where integration_id = $1 and tenant_external = $2
