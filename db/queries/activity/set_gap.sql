insert into public.activity_spans (customer_id, tenant_id, stream, state, from_at, to_at, reason, permission, attempted_at)
values ($1, $2, $3, 'gap', $4, $5, $6, $7, $8)
on conflict (customer_id, tenant_id, stream) where state = 'gap'
do update set from_at = excluded.from_at, to_at = excluded.to_at, reason = excluded.reason, permission = excluded.permission, attempted_at = excluded.attempted_at
