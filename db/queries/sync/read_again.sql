-- The second reading: rows that are not kept are counted by it anew.
update public.sync_parts p
set state = 'suspect', reads = 2, cursor = null, memory = $4, error = $5, rows_read = p.rows_read - p.rows_unmapped, rows_unmapped = 0
from public.sync_runs r
where p.sync_run_id = $1 and p.part = $3 and r.id = $1 and r.lease_owner = $2 and r.state = 'running'
