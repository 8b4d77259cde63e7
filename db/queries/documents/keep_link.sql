update public.document_drives set round_link = $3 where customer_id = $1 and id = $2
