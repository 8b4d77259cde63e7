update public.endpoint_decisions set ended_at = $3, ended_by = $4, end_reason = $5 where customer_id = $1 and id = $2 and ended_at is null
