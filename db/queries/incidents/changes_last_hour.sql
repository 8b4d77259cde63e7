-- Devices that this rule changed in the last hour for this customer, without the run that asks.
select count(distinct x.target_id)::integer as devices
from flow.changes x join flow.runs r on r.customer_id = x.customer_id and r.id = x.run_id
where x.customer_id = $1 and x.run_id <> $3 and x.act_started_at > $4::timestamptz - interval '1 hour' and r.input ->> 'rule_id' = $2::text
