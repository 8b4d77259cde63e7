-- What the last complete reading counted; organizations without a device have none.
update public.integration_organizations o set devices_seen = coalesce(i.devices, 0)
from public.integration_organizations p
left join unnest($2::text[], $3::integer[]) as i (external_id, devices) on i.external_id = p.external_id
where o.integration_id = $1 and p.integration_id = $1 and p.external_id = o.external_id
  and o.devices_seen <> coalesce(i.devices, 0)
