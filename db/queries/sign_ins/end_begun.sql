-- Its state is good no more.
update public.integration_sign_ins set ended_at = $2 where integration_id = $1 and finished_at is null and ended_at is null
