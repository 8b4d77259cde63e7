update public.count_differences set state = 'changing', state_text = null, run_id = $3 where customer_id = $1 and id = $2 and state = 'open'
