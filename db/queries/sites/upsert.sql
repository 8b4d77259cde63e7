-- Locations of one customer. A site keeps its id; its name follows the vendor.
insert into public.sites as s (customer_id, integration_id, external_id, name, observed_at)
select $1, $2, i.external_id, i.name, $5 from unnest($3::text[], $4::text[]) as i (external_id, name)
on conflict (customer_id, integration_id, external_id) do update
  set name = excluded.name, observed_at = greatest(s.observed_at, excluded.observed_at)
