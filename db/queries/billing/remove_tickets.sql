-- Tickets of accounts that are another customer's now, or nobody's: they were never this customer's.
delete from public.billing_tickets where customer_id = $1 and integration_id = $2 and account_ref = any ($3::text[])
