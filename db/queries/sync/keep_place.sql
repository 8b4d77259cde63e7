-- A page is stored: from here the part goes on after a restart.
update public.sync_parts p
set cursor = $4, memory = $5, pages_read = p.pages_read + $6, rows_read = p.rows_read + $7, rows_unmapped = p.rows_unmapped + $7
from public.sync_runs r
where p.sync_run_id = $1 and p.part = $3 and r.id = $1 and r.lease_owner = $2 and r.state = 'running'
