select r.id, r.name, r.when_cel, r.parameters, r.requires_approval, r.devices_per_hour_max, w.key as workflow_key
from public.remediation_rules r
join public.workflows w on w.id = r.workflow_id and w.enabled
where r.enabled and r.condition_kind = $1
order by r.position, r.name
limit 100
