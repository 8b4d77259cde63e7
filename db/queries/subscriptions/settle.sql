update public.tenant_subscriptions s set due_at = null from public.sync_runs r where r.id = $2 and s.integration_id = $1 and s.due_at <= r.started_at
