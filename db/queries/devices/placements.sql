-- Where the vendor's devices are filed now, over all customers (role system: keys only).
select customer_id, external_id from public.devices
where integration_id = $1 and missing_since is null and ($2::text[] is null or external_id = any ($2))
