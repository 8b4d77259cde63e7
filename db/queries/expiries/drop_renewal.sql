delete from public.expiry_renewals where customer_id = $1 and integration_id = $2 and kind = $3 and external_id = $4
