update public.incidents
set state = $3::text::public.incident_state, resolution = $4, resolved_at = case when $3 = 'resolved' then $5::timestamptz end
where customer_id = $1 and id = $2 and state <> 'resolved'
