-- Items that a round lacked and that are there all the same.
update public.documents d set seen_round_id = r.full_round_id, observed_at = greatest(d.observed_at, $4)
from public.document_drives r
where d.customer_id = $1 and d.drive_id = $2 and d.external_id = any ($3::text[]) and r.customer_id = d.customer_id and r.id = d.drive_id
