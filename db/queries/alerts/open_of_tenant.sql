-- Alerts of a tenant that are open here; $2 begins the key of each.
select id, dedup_key from public.alerts where customer_id = $1 and source = 'microsoft' and state <> 'resolved' and starts_with(dedup_key, $2) order by id
