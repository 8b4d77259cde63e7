-- Customers with an exception whose time is over (role system: keys only).
select distinct customer_id from public.mfa_exceptions where ended_at is null and until <= $1
