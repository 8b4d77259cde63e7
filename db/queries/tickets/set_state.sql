update public.tickets set state = $3::text::public.ticket_state, resolution = coalesce($4, resolution)
where customer_id = $1 and id = $2 and state <> 'closed'
