-- Whose accounts' payments are filed under which customer, over all customers (role system: keys only).
select distinct customer_id, account_ref from public.payments where integration_id = $1
