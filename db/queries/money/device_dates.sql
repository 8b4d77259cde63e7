-- When devices were added, by their source's own word where it has one.
select d.id, case when jsonb_typeof(d.raw -> 'created') = 'number' and (d.raw ->> 'created')::float8 between 0 and 4102444800
              then to_timestamp((d.raw ->> 'created')::float8) else d.created_at end as added_at
from public.devices d where d.customer_id = $1 and d.id = any ($2::uuid[])
