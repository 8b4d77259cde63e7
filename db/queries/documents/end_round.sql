-- A round is complete: the next one begins with its link.
update public.document_drives
set delta_link = $3, round_link = null, round_is_done = true, complete_at = $4, full_round_id = case when round_is_full then round_id else full_round_id end
where customer_id = $1 and id = $2
