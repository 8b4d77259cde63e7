-- Access to a tenant of this customer was lost or came back: what is judged by its facts is due at once.
with drift as (
  update public.drift_evaluations e set due_at = '-infinity' from public.cipp_tenants t
  where e.customer_id = $1 and t.customer_id = $1 and t.id = e.cipp_tenant_id and t.integration_id = $2 and t.external_id = $3
)
select app.posture_is_due($1, $3, $4)
