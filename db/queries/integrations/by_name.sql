-- The connection of the integration with this name ($1; role system: credentials are no business of people).
select id, base_url, credential_id, sync_interval_s from public.integrations where name = $1
