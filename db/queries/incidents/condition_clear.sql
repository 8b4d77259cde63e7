update public.device_conditions set cleared_at = greatest($3::timestamptz, raised_at), observed_at = greatest(observed_at, $3)
where customer_id = $1 and external_uid = $2 and cleared_at is null
returning id, device_id, kind
