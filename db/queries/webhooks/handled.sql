update public.webhook_deliveries set handled_at = $3, outcome = $4 where integration_id = $1 and id = $2
