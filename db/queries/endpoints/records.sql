-- Every record that is there. The person is found by the sign-in name, first in the tenant that says it.
select 'ninjaone' as source, d.id, d.name, d.serial_number, null::text as entra_device_id, null::timestamptz as enrolled_at, d.last_contact_at as last_seen_at,
       d.is_complete, d.class, d.os_name, d.site_id, null::uuid as person_id
from public.devices d where d.customer_id = $1 and d.missing_since is null
union all
select 'intune', m.id, m.name, m.serial_number, m.entra_device_id::text, m.enrolled_at, m.last_sync_at, m.is_complete, null, m.os_name, null,
       (select p.id from public.tenant_people p where p.customer_id = $1 and lower(p.user_principal_name) = lower(m.user_principal_name) and p.missing_since is null
          order by p.tenant_id = m.tenant_id desc, p.id limit 1)
from public.managed_devices m where m.customer_id = $1 and m.missing_since is null
