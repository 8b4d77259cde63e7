-- Alerts that a window, or one alert's only, mutes now, with what an incident of them needs.
select x.id, a.id as alert_id, a.device_id, a.kind, a.severity, a.title, a.state::text as state, coalesce(d.message, a.title) as message
from public.alert_mutes x
join public.alerts a on a.customer_id = x.customer_id and a.id = x.alert_id
left join public.device_conditions d on d.customer_id = a.customer_id and d.id = a.condition_id
where x.customer_id = $1 and x.ended_at is null and (x.maintenance_id = $2 or x.alert_id = $3)
order by x.muted_at, x.id limit 1000
for update of x
