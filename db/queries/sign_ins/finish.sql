update public.integration_sign_ins set finished_at = $2 where id = $1 and finished_at is null and ended_at is null
