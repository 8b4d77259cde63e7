-- Devices that are filed as present and that this synchronization has not seen (role system: keys only).
select customer_id, external_id from public.devices
where integration_id = $1 and missing_since is null and seen_in_sync is distinct from $2
order by customer_id, external_id
