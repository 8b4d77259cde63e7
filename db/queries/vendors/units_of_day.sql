-- What was used of the day of $2 (UTC) by tenant; $3: of one class, else of all.
select c.tenant, sum(c.units)::bigint as units from public.vendor_calls c
where c.integration_id = $1 and c.hour >= date_trunc('day', $2::timestamptz, 'UTC') and c.hour < date_trunc('day', $2::timestamptz, 'UTC') + interval '24 hours' and c.class = coalesce($3::text, c.class)
group by c.tenant
