-- The tenants that connections to Microsoft 365 show, and the provider's own.
select app.offer_document_tenants($1, $2, $3) as offered
