-- Machines as they were: those that go on with the records that they have, those that ended with the records that they had in the end.
select e.id as endpoint_id, e.ended_at is not null as is_ended, r.source, coalesce(r.device_id, r.managed_device_id) as record_id
from public.endpoints e
join public.endpoint_records r on r.customer_id = e.customer_id and r.endpoint_id = e.id and r.ended_at is not distinct from e.ended_at
where e.customer_id = $1
union all
-- One whose records were all taken away with their source.
select e.id, false, null, null from public.endpoints e
where e.customer_id = $1 and e.ended_at is null
  and not exists (select from public.endpoint_records r where r.customer_id = e.customer_id and r.endpoint_id = e.id and r.ended_at is null)
