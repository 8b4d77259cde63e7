update public.count_differences set state = 'closed', closed_at = $3, close_reason = $4, bill_id = coalesce($5, bill_id)
where customer_id = $1 and id = $2 and state <> 'closed'
