-- What it was ignored for is kept: other numbers bring it back.
update public.count_differences
set state = 'ignored', state_text = null, ignored_at = $3, ignored_by = $4, ignored_until = $5, ignored_reason = $6, ignored_counted = counted, ignored_billed = billed
where customer_id = $1 and id = $2 and state in ('open', 'ignored')
