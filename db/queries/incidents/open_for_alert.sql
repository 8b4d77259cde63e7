insert into public.incidents (customer_id, id, number, alert_id, device_id, title, severity, opened_at)
values ($1, $2, 0, $3, $4, $5, $6, $7)
on conflict (customer_id, alert_id) do nothing
returning id
