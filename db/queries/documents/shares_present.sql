select external_id from public.document_shares where customer_id = $1 and document_id = $2 and missing_since is null
