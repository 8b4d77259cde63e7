update public.incidents set rule_id = $3, run_id = $4, state = 'remediating' where customer_id = $1 and id = $2 and state <> 'resolved'
