select tenant_external from public.tenant_subscriptions where integration_id = $1 and due_at is not null
