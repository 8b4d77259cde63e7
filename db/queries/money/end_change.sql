-- The run changed nothing that is proven: the difference is open again and says so.
update public.count_differences set state = 'open', state_text = $4 where customer_id = $1 and id = $2 and run_id = $3 and state = 'changing'
