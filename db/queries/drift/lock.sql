select cipp_tenant_id from public.drift_evaluations where customer_id = $1 and cipp_tenant_id = $2 for update
