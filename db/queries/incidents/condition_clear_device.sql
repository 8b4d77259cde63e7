-- The engine read back that the condition is gone: every open condition of this kind on the device is cleared.
update public.device_conditions set cleared_at = greatest($4::timestamptz, raised_at), observed_at = greatest(observed_at, $4)
where customer_id = $1 and device_id = $2 and kind = $3 and cleared_at is null
