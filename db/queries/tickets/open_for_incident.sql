insert into public.tickets (customer_id, id, number, subject, description, priority, source, device_id, incident_id, opened_at, first_response_due_at)
values ($1, $2, 0, $3, $4, $5::text::public.ticket_priority, 'alert', $6, $7, $8, $8)
on conflict (customer_id, incident_id) do nothing
returning id
