-- Their time is over.
update public.drift_exceptions set ended_at = until where customer_id = $1 and cipp_tenant_id = $2 and ended_at is null and until <= $3
