select id, webhook_secret_sha256, enabled from public.integrations where id = $1
