update public.drift_exceptions set ended_at = $4, ended_by = $5 where customer_id = $1 and cipp_tenant_id = $2 and setting = $3 and ended_at is null
