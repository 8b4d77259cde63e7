-- Machines that go on, with their records: those named by their own id ($2) or by a record ($3).
select r.id, r.endpoint_id, r.source, coalesce(r.device_id, r.managed_device_id) as record_id, coalesce(d.name, m.name) as name, coalesce(d.serial_number, m.serial_number) as serial_number
from public.endpoint_records r
left join public.devices d on d.customer_id = r.customer_id and d.id = r.device_id
left join public.managed_devices m on m.customer_id = r.customer_id and m.id = r.managed_device_id
where r.customer_id = $1 and r.ended_at is null
  and (r.endpoint_id = any ($2::uuid[])
    or r.endpoint_id in (select o.endpoint_id from public.endpoint_records o
      where o.customer_id = $1 and o.ended_at is null and (o.device_id = any ($3::uuid[]) or o.managed_device_id = any ($3::uuid[]))))
order by r.endpoint_id, r.source, record_id
