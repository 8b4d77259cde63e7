-- With a person: it is their decision that is written down.
insert into public.ticket_events (customer_id, id, ticket_id, kind, body, is_internal, evidence_id, at, actor_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
