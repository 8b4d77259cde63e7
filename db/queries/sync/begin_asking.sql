-- $4 rows are left to ask for. The first process says how many there are; after a restart those that are settled count as asked.
update public.sync_parts p
set rows_to_ask = greatest(p.rows_to_ask, $4), rows_asked = greatest(p.rows_to_ask, $4) - $4
from public.sync_runs r
where p.sync_run_id = $1 and p.part = $3 and r.id = $1 and r.lease_owner = $2 and r.state = 'running'
