-- Once per vendor activity; a repeated delivery is counted, and told from a replay with another body by its hash.
insert into public.webhook_deliveries as w (integration_id, id, external_id, body_sha256, received_at)
values ($1, $2, $3, $4, $5)
on conflict (integration_id, external_id) do update set deliveries = w.deliveries + 1
returning w.id, w.body_sha256, w.handled_at, (w.id = $2) as is_new
