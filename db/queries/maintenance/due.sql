-- Customers with windows that are over, or were not looked at for a while (role system: keys only).
select customer_id from public.device_maintenances
where state in ('active', 'ending') and (ends_at <= $1 or end_verified_at is not null or looked_at <= $2) group by customer_id order by min(looked_at) limit $3
