-- One open window per device: none is made beside it.
insert into public.device_maintenances (customer_id, id, device_id, reason, features, ends_at, requested_by, requested_at, looked_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
on conflict (customer_id, device_id) where state in ('starting', 'active', 'ending') do nothing
