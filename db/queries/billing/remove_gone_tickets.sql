-- One customer's tickets that the vendor confirmed to be gone, or filed under another account.
delete from public.billing_tickets where customer_id = $1 and integration_id = $2 and external_id = any ($3::text[])
