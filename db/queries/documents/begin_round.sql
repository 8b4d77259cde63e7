-- A round over a library begins; where it goes on is kept with each page.
update public.document_drives set round_id = $3, round_run_id = $4, round_is_full = $5, round_link = $6, round_is_done = false
where customer_id = $1 and id = $2
