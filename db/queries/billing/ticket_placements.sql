-- Whose accounts' tickets are filed under which customer, over all customers (role system: keys only).
select distinct customer_id, account_ref from public.billing_tickets where integration_id = $1
