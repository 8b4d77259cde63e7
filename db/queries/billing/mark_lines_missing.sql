-- Only from a confirmed disappearance or a move. The facts stay; the line is no longer billed to this customer.
update public.billing_lines set missing_since = $4
where customer_id = $1 and integration_id = $2 and external_id = any ($3::text[]) and missing_since is null
