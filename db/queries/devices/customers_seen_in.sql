-- Customers whose rows this synchronization wrote (role system: keys only).
select distinct customer_id from public.devices where integration_id = $1 and seen_in_sync = $2
