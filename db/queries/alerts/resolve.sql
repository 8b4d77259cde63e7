update public.alerts set state = 'resolved', resolved_at = $3 where customer_id = $1 and id = any ($2::uuid[]) and state <> 'resolved'
