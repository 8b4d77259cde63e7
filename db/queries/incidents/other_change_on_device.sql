select x.run_id from flow.changes x join flow.runs r on r.customer_id = x.customer_id and r.id = x.run_id
where x.customer_id = $1 and x.target_id = $2 and x.run_id <> $3 and x.act_started_at is not null and x.state in ('planned', 'waiting', 'applied')
  and r.ended_at is null
limit 1
