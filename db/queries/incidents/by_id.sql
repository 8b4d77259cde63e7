select i.id, i.number, c.code || '-I' || i.number as reference, i.title, i.severity, i.state::text as state, i.alert_id, i.device_id, i.rule_id, i.run_id,
       a.kind as alert_kind, t.id as ticket_id, c.name as customer_name
from public.incidents i
join public.customers c on c.id = i.customer_id
left join public.alerts a on a.customer_id = i.customer_id and a.id = i.alert_id
left join public.tickets t on t.customer_id = i.customer_id and t.incident_id = i.id
where i.customer_id = $1 and i.id = $2
for update of i
