insert into public.tickets (customer_id, id, number, subject, description, priority, source, opened_at, first_response_due_at)
values ($1, $2, 0, $3, $4, 'p3', 'alert', $5, $5)
