-- Only from a confirmed disappearance or a move. The facts stay; the device is no longer shown as present.
update public.devices set missing_since = $4
where customer_id = $1 and integration_id = $2 and external_id = any ($3::text[]) and missing_since is null
