-- How the sites of a tenant were read just now. $6: when what is kept was seen, if it is kept.
update public.document_tenants set state = $3, reason = $4, permission = $5, observed_at = coalesce($6, observed_at), attempted_at = $7, sync_run_id = $8
where customer_id = $1 and id = $2
