-- The first to notice writes it down; no row: it is known, or over.
update public.integration_sign_ins s set failed_at = $2, problem = $3
from public.integrations i
where s.id = $1 and s.failed_at is null and s.finished_at is not null and s.ended_at is null and i.id = s.integration_id
returning i.name
