-- Open conditions of an integration's devices, over all customers (role system: keys only).
select c.customer_id, c.external_uid, d.external_id as device_external_id, d.missing_since
from public.device_conditions c
join public.devices d on d.customer_id = c.customer_id and d.id = c.device_id
where d.integration_id = $1 and c.cleared_at is null
order by c.customer_id, c.external_uid
