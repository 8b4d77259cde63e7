-- Alerts of a tenant that are open here, of one source ($2); $3 begins the key of each.
select id, dedup_key from public.alerts where customer_id = $1 and source = $2 and state <> 'resolved' and starts_with(dedup_key, $3) order by id
