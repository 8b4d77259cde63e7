-- How many patches some devices of a customer lack, by how much it matters. $3: the devices; nothing is said of one without an agent.
with counted as materialized (
  select d.id as device_id,
    count(*) filter (where x.standing = 'pending' and x.severity = 'critical')::integer as critical,
    count(*) filter (where x.standing = 'pending' and x.severity = 'important')::integer as important,
    count(*) filter (where x.standing = 'pending' and x.severity not in ('critical', 'important'))::integer as other,
    count(*) filter (where x.standing = 'failed')::integer as failed
  from public.devices d left join public.device_patches x on x.customer_id = d.customer_id and x.device_id = d.id
  where d.customer_id = $1 and d.integration_id = $2 and d.external_id = any ($3::text[]) and d.missing_since is null and d.vendor_class ~* '^(windows|linux|mac)'
  group by d.id
)
insert into public.device_healths as h (customer_id, device_id, patches_critical, patches_important, patches_other, patches_failed, changed_at)
select $1, c.device_id, c.critical, c.important, c.other, c.failed, $4 from counted c
where not exists (select from public.device_healths k where k.customer_id = $1 and k.device_id = c.device_id
  and (k.patches_critical, k.patches_important, k.patches_other, k.patches_failed) is not distinct from (c.critical, c.important, c.other, c.failed))
on conflict (customer_id, device_id) do update
  set patches_critical = excluded.patches_critical, patches_important = excluded.patches_important, patches_other = excluded.patches_other,
      patches_failed = excluded.patches_failed, changed_at = excluded.changed_at
