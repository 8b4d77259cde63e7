-- How many rows of a part are known of each present device of a customer; devices without any are left out. One branch is asked.
select d.external_id, count(*)::integer as rows
from public.devices d join public.device_programs x on x.customer_id = d.customer_id and x.device_id = d.id
where $3 = 'software' and d.customer_id = $1 and d.integration_id = $2 and d.missing_since is null group by d.external_id
union all
select d.external_id, count(*)::integer
from public.devices d join public.device_patches x on x.customer_id = d.customer_id and x.device_id = d.id
where $3 = 'patches' and d.customer_id = $1 and d.integration_id = $2 and d.missing_since is null group by d.external_id
union all
select d.external_id, count(*)::integer
from public.devices d join public.device_volumes x on x.customer_id = d.customer_id and x.device_id = d.id
where $3 = 'volumes' and d.customer_id = $1 and d.integration_id = $2 and d.missing_since is null group by d.external_id
union all
select d.external_id, count(*)::integer
from public.devices d join public.device_custom_fields x on x.customer_id = d.customer_id and x.device_id = d.id
where $3 = 'custom_fields' and d.customer_id = $1 and d.integration_id = $2 and d.missing_since is null group by d.external_id
union all
select d.external_id, 1
from public.devices d join public.device_healths x on x.customer_id = d.customer_id and x.device_id = d.id
where $3 in ('health', 'antivirus', 'backups') and d.customer_id = $1 and d.integration_id = $2 and d.missing_since is null
  and case $3 when 'health' then x.health_status is not null when 'antivirus' then x.antivirus_products <> '[]' else x.has_backup end
