-- A batch was asked for and what came of it is stored.
update public.sync_parts p set rows_asked = least(p.rows_asked + $4, p.rows_to_ask), memory = coalesce($5, p.memory)
from public.sync_runs r
where p.sync_run_id = $1 and p.part = $3 and r.id = $1 and r.lease_owner = $2 and r.state = 'running'
