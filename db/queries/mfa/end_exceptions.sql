-- Their time is over.
update public.mfa_exceptions set ended_at = until where customer_id = $1 and ended_at is null and until <= $2
