select t.id, t.number, t.subject, t.description, t.priority::text as priority, t.state::text as state, t.device_id, t.external_ref
from public.tickets t where t.customer_id = $1 and t.id = $2 for update
