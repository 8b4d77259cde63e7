update public.tenants t
set name = $3, default_domain = $4, initial_domain = $5, domains = $6, country = $7, observed_at = greatest(t.observed_at, $8), is_complete = true
where customer_id = $1 and id = $2
