select t.integration_id from public.document_sites s join public.document_tenants t on t.customer_id = s.customer_id and t.id = s.tenant_id
where s.customer_id = $1 and s.id = $2
