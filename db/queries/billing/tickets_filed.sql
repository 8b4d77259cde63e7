-- Where the vendor's tickets are filed now, over all customers (role system: keys only).
select customer_id, external_id, account_ref from public.billing_tickets where integration_id = $1 order by customer_id, external_id
