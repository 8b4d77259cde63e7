-- The row that everything of a tenant hangs on; what it says of itself comes with its organization.
insert into public.tenants as t (customer_id, integration_id, external_id, name, observed_at, is_complete, seen_in_sync)
values ($1, $2, $3, $4, $5, false, $6)
on conflict (customer_id, integration_id, external_id) do update set missing_since = null, seen_in_sync = excluded.seen_in_sync
returning id, name, has_premium
