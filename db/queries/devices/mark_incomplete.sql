-- The reading that brought these rows turned out not to be complete.
update public.devices set is_complete = false
where customer_id = $1 and integration_id = $2 and seen_in_sync = $3 and is_complete
