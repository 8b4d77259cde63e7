insert into public.vendor_calls as c (integration_id, hour, class, calls, throttled, failed, waited_ms)
select $1, date_trunc('hour', $2::timestamptz, 'UTC'), n.class, n.calls, n.throttled, n.failed, n.waited_ms
from unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]) as n (class, calls, throttled, failed, waited_ms)
where exists (select from public.integrations i where i.id = $1)
on conflict (integration_id, hour, class) do update set
  calls = c.calls + excluded.calls, throttled = c.throttled + excluded.throttled,
  failed = c.failed + excluded.failed, waited_ms = c.waited_ms + excluded.waited_ms
