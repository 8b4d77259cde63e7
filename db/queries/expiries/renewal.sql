select r.ticket_id, r.ends_at, r.days, t.state = 'closed' as is_closed from public.expiry_renewals r
join public.tickets t on t.customer_id = r.customer_id and t.id = r.ticket_id
where r.customer_id = $1 and r.integration_id = $2 and r.kind = $3 and r.external_id = $4 for update of r
