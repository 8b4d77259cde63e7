update public.integration_sign_ins set failed_at = null, problem = null where id = $1 and failed_at is not null
