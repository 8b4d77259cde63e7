update public.drifts set state = 'remediating', state_text = null, run_id = $3 where customer_id = $1 and id = $2 and state in ('open', 'denied')
