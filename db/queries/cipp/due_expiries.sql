-- What ends within 90 days (or has ended) and nobody was told of at this nearness yet; the rows are held, so that two processes do not tell twice.
-- What renews itself is nobody's work.
select e.integration_id, e.kind, e.external_id, e.customer_id, e.subject, e.ends_at, i.name as integration_name, d.days
from public.integration_expiries e
join public.integrations i on i.id = e.integration_id
cross join lateral (select min(x.days) as days from unnest(array[0, 7, 30, 90]) x (days) where e.ends_at <= $1::timestamptz + make_interval(days => x.days)) d
where e.ends_at <= $1::timestamptz + interval '90 days' and e.renews is not true
  and (e.told_ends_at is distinct from e.ends_at or e.told_days > d.days)
order by d.days, e.ends_at, e.external_id limit 500
for update of e skip locked
