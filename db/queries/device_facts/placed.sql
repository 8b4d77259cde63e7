-- Where devices are filed as present, over all customers (role system: keys only). $2: the full reading of devices that lacks some which are not
-- confirmed to be gone, if there is one: they are in doubt until a person or a later reading decides. Ids of synchronizations ascend with time.
select customer_id, external_id, $2::uuid is null or coalesce(seen_in_sync >= $2, false) as is_listed from public.devices
where integration_id = $1 and missing_since is null
