-- The row that the sites of a tenant hang on.
insert into public.document_tenants as t (customer_id, integration_id, external_id, name) values ($1, $2, $3, $4)
on conflict (customer_id, integration_id, external_id) do update set name = excluded.name, missing_since = null
returning id, state, reason, sync_run_id
