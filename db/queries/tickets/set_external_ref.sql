update public.tickets set external_ref = $3 where customer_id = $1 and id = $2
