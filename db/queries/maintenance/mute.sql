-- An alert of a device in maintenance is muted, once in each window: one that a person took out stays out. What somebody works on already is left.
with kept as (
  insert into public.alert_mutes (customer_id, id, alert_id, maintenance_id, muted_at)
  select m.customer_id, $4::uuid, $2::uuid, m.id, $5::timestamptz from public.device_maintenances m
  where m.customer_id = $1 and m.device_id = $3 and m.state in ('active', 'ending') and m.ends_at > $5 and m.end_verified_at is null
    and not exists (select from public.incidents i where i.customer_id = $1 and i.alert_id = $2)
  on conflict (customer_id, alert_id, maintenance_id) do nothing
  returning id
)
select exists (select from kept) or exists (select from public.alert_mutes x where x.customer_id = $1 and x.alert_id = $2 and x.ended_at is null) as is_muted
