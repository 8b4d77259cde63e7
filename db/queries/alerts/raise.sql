-- One open alert per cause: a repeated signal counts up instead of making a second one. `was_open` tells which happened.
insert into public.alerts as a (customer_id, id, source, dedup_key, device_id, condition_id, kind, severity, title, first_seen_at, last_seen_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
on conflict (customer_id, dedup_key) where state <> 'resolved' do update
  set occurrences = a.occurrences + case when excluded.condition_id is distinct from a.condition_id or excluded.last_seen_at > a.last_seen_at then 1 else 0 end,
      last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at),
      condition_id = excluded.condition_id, severity = excluded.severity, title = excluded.title
returning a.id, a.occurrences, (a.id <> $2) as was_open
