update public.count_differences set state = 'waiting_for_invoice', state_text = $4, changed_at = $5, changed_quantity = $6::text::numeric, bill_mark = $7
where customer_id = $1 and id = $2 and run_id = $3 and state = 'changing'
