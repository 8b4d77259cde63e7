update public.count_differences
set state = 'open', state_text = $3, ignored_at = null, ignored_by = null, ignored_until = null, ignored_reason = null, ignored_counted = null, ignored_billed = null
where customer_id = $1 and id = $2 and state in ('ignored', 'changing', 'waiting_for_invoice')
