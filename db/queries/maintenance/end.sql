update public.device_maintenances set state = case when $3 = 'not_verified' then 'failed' else 'ended' end, end_reason = $3, state_text = coalesce($4, state_text), ended_at = $5
where customer_id = $1 and id = $2 and state in ('starting', 'active', 'ending')
