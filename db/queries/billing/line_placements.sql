-- Where the vendor's lines are filed now, over all customers (role system: keys only).
select customer_id, external_id, account_ref from public.billing_lines where integration_id = $1 and missing_since is null order by customer_id, external_id
