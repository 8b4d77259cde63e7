insert into public.drift_exceptions (customer_id, cipp_tenant_id, setting, value, reason, until, created_by, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8) returning id
