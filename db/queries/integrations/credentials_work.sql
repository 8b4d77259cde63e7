update public.integrations set credentials_failed_at = null, credentials_problem = null where id = $1 and credentials_failed_at is not null
