-- What is read of a site from now on. $3: one of the words of the table's constraint.
update public.document_sites set reads = $3 where customer_id = $1 and id = $2 and missing_since is null returning id
