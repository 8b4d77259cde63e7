insert into public.tenant_subscriptions as s (integration_id, tenant_external, secret_sha256, asked_at) values ($1, $2, $3, $4)
on conflict (integration_id, tenant_external) do update
  set secret_sha256 = excluded.secret_sha256, asked_at = excluded.asked_at, external_id = null, expires_at = null, renew_now = false
