-- Looked at again, on these facts.
update public.count_differences
set last_seen_at = $3, devices_observed_at = $4, lines_observed_at = $5, reconciliation_id = $6, stale_since = null, stale_reason = null
where customer_id = $1 and id = any ($2::uuid[]) and state <> 'closed'
