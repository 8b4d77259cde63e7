update public.drifts set state = 'closed', closed_at = $4, evaluated_at = $4, close_reason = 'remediated', state_text = $5
where customer_id = $1 and id = $2 and run_id = $3 and state = 'remediating'
