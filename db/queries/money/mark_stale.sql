-- The customer was passed over: its differences stay as they are, and say since when.
update public.count_differences set stale_since = coalesce(stale_since, $3), stale_reason = $4
where customer_id = $1 and id = any ($2::uuid[]) and state <> 'closed' and stale_reason is distinct from $4
