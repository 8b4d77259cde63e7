insert into public.integration_sign_ins (id, integration_id, person_id, credential_id, state_sha256, started_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
