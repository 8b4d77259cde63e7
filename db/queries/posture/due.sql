-- Customers with tenants whose checks are due (role system: keys only).
select customer_id from public.posture_tenants where due_at <= $1 group by customer_id order by min(due_at) limit $2
