-- Machines that no record is of any more, with the one that their records went to.
update public.endpoints e set ended_at = $3, changed_at = $3, merged_into = i.into_id, open_conflicts = 0
from jsonb_to_recordset($2::jsonb) as i (id uuid, into_id uuid) where e.customer_id = $1 and e.id = i.id and e.ended_at is null
