-- Notes which windows the vendor's own list shows, and gives those that are over: by time, because a reading proved their end, or because the
-- list showed the window and shows it no more.
with open as (
  select m.id, m.ends_at, m.end_verified_at, d.observed_at, d.is_complete, d.raw #>> '{maintenance,status}' as status, m.seen_at, m.state
  from public.device_maintenances m join public.devices d on d.customer_id = m.customer_id and d.id = m.device_id
  where m.customer_id = $1 and m.state in ('active', 'ending')
  order by m.end_verified_at nulls last, m.looked_at limit $3 for update of m skip locked
), looked as (
  update public.device_maintenances m set looked_at = $2, seen_at = case when o.status = 'IN_MAINTENANCE' then o.observed_at else m.seen_at end
  from open o where m.customer_id = $1 and m.id = o.id
)
select id, case when end_verified_at is not null then 'by_person' when ends_at <= $2 then 'over' else 'at_vendor' end as end_reason from open
where end_verified_at is not null or ends_at <= $2
   or state = 'active' and seen_at < observed_at and is_complete and status is distinct from 'IN_MAINTENANCE'
