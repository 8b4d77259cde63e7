-- What is installed at a customer, counted anew; only what changed is written.
with counted as materialized (
  select s.name, s.version, s.publisher, count(*)::integer as device_count
  from public.device_programs s join public.devices d on d.customer_id = s.customer_id and d.id = s.device_id and d.missing_since is null
  where s.customer_id = $1 group by s.name, s.version, s.publisher
), removed as (
  delete from public.software_titles t where t.customer_id = $1
    and not exists (select from counted c where c.name = t.name and c.version = t.version and c.publisher = t.publisher)
)
insert into public.software_titles (customer_id, name, version, publisher, device_count, first_seen_at, changed_at)
select $1, c.name, c.version, c.publisher, c.device_count, $2, $2 from counted c
where not exists (select from public.software_titles t where t.customer_id = $1 and t.name = c.name and t.version = c.version and t.publisher = c.publisher
  and t.device_count = c.device_count)
on conflict (customer_id, name, version, publisher) do update set device_count = excluded.device_count, changed_at = excluded.changed_at
