-- Customers that have devices of this integration; with a synchronization only those whose devices it saw or that changed lately (role system: keys only).
select distinct customer_id from public.devices
where integration_id = $1 and ($2::uuid is null or seen_in_sync = $2 or missing_since > $3::timestamptz)
