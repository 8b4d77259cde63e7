insert into public.expiry_renewals (integration_id, kind, external_id, customer_id, ticket_id, ends_at, days, opened_at)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (customer_id, integration_id, kind, external_id) do update
  set ticket_id = excluded.ticket_id, ends_at = excluded.ends_at, days = excluded.days
