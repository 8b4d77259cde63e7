select t.id, t.number, c.code || '-' || t.number as reference, t.priority::text as priority, t.state::text as state
from public.tickets t join public.customers c on c.id = t.customer_id
where t.customer_id = $1 and t.incident_id = $2
