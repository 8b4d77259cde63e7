select p.tenant_id, p.display_name from public.tenant_people p where p.customer_id = $1 and p.id = $2 and p.missing_since is null
