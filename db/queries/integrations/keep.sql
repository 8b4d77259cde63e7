-- Adds an integration ($1: id, $2: name, $3: vendor, $4: address, $5: credentials, $6: seconds between readings), or gives the one of that name another connection.
insert into public.integrations (id, name, vendor, base_url, credential_id, sync_interval_s) values ($1, $2, $3, $4, $5, $6)
on conflict (name) do update set base_url = excluded.base_url, credential_id = excluded.credential_id, activity_cursor = null, credentials_failed_at = null
