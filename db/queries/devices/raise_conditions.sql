-- Open conditions of one customer as its vendor lists them. One that was cleared before the list was made is open again;
-- one that was cleared since stays so. Devices that are not here are left out. `is_news`: not open before.
with input as (
  select * from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
    as i (device_external_id, external_uid, kind, severity, message, raised_at)
), placed as (
  select i.*, d.id as device_id, c.id as condition_id, c.cleared_at,
         (c.kind, c.severity, c.message, c.device_id) is not distinct from (i.kind, i.severity, i.message, d.id) as is_same
  from input i
  join public.devices d on d.customer_id = $1 and d.integration_id = $2 and d.external_id = i.device_external_id and d.missing_since is null
  left join public.device_conditions c on c.customer_id = $1 and c.external_uid = i.external_uid
  where c.cleared_at is null or c.cleared_at < $9
), written as (
  insert into public.device_conditions as c (customer_id, device_id, external_uid, kind, severity, message, raised_at, observed_at)
  select $1, p.device_id, p.external_uid, p.kind, p.severity, p.message, p.raised_at, $9 from placed p
  on conflict (customer_id, external_uid) do update
    set device_id = excluded.device_id, kind = excluded.kind, severity = excluded.severity, message = excluded.message,
        raised_at = case when c.cleared_at is null then c.raised_at else excluded.raised_at end, cleared_at = null,
        observed_at = greatest(c.observed_at, excluded.observed_at), is_complete = true
  returning c.id, c.external_uid
)
select w.id, w.external_uid, p.device_id, p.condition_id is null as is_new, p.condition_id is null or p.cleared_at is not null as is_news, coalesce(p.is_same, false) as is_same
from written w join placed p on p.external_uid = w.external_uid
