insert into public.reconciliations (id, scope, reason, requested_by, started_at) values ($1, $2, $3, $4, $5)
