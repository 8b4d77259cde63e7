insert into public.vendor_calls as c (integration_id, hour, class, tenant, calls, units, throttled, failed, waited_ms)
select $1, date_trunc('hour', $2::timestamptz, 'UTC'), n.class, n.tenant, n.calls, n.units, n.throttled, n.failed, n.waited_ms
from unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]) as n (class, tenant, calls, units, throttled, failed, waited_ms)
where exists (select from public.integrations i where i.id = $1)
on conflict (integration_id, hour, class, tenant) do update set
  calls = c.calls + excluded.calls, units = c.units + excluded.units, throttled = c.throttled + excluded.throttled,
  failed = c.failed + excluded.failed, waited_ms = c.waited_ms + excluded.waited_ms
