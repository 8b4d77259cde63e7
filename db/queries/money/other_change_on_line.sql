select c.run_id from flow.changes c join flow.runs r on r.customer_id = c.customer_id and r.id = c.run_id and r.ended_at is null
where c.customer_id = $1 and c.target_kind = 'billing_line' and c.target_id = $2 and c.run_id <> $3 limit 1
