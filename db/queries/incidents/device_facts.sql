select d.id, d.name, d.external_id, d.integration_id, d.class, d.os_name, d.is_offline, d.disk_used_percent::float8 as disk_used_percent, d.observed_at, d.is_complete, d.observed_at + app.row_stale_after(d.integration_id) as stale_at,
       c.name as customer_name, c.slug as customer_slug, c.code as customer_code
from public.devices d join public.customers c on c.id = d.customer_id
where d.customer_id = $1 and d.id = $2
