select r.id, r.name, r.when_cel, r.parameters, r.requires_approval, r.devices_per_hour_max, w.key as workflow_key
from public.remediation_rules r join public.workflows w on w.id = r.workflow_id
where r.id = $1
