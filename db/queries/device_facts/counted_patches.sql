-- How many patches the health report says that each present device lacks: a second witness beside the list of patches.
select d.external_id, coalesce(h.os_patches_pending, 0) + coalesce(h.os_patches_failed, 0) as patches
from public.devices d join public.device_healths h on h.customer_id = d.customer_id and h.device_id = d.id
where d.customer_id = $1 and d.integration_id = $2 and d.missing_since is null and h.health_status is not null
  and exists (select from public.device_fact_parts p where p.customer_id = $1 and p.integration_id = $2 and p.part = 'health' and p.sync_run_id = $3 and p.state = 'complete')
