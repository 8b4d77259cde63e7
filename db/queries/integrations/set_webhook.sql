-- The hash of the secret that the vendor sends with each delivery ($1: integration, $2: hash, $3: now).
update public.integrations set webhook_secret_sha256 = $2, webhook_registered_at = $3 where id = $1
