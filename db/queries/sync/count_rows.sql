-- Counts of one customer's rows, in the transaction that writes them. No row: the lease is lost.
update public.sync_parts p
set rows_read = p.rows_read + $4, rows_created = p.rows_created + $5, rows_updated = p.rows_updated + $6,
    rows_unchanged = p.rows_unchanged + $7, rows_removed = p.rows_removed + $8, rows_unmapped = p.rows_unmapped + $9
from public.sync_runs r
where p.sync_run_id = $1 and p.part = $3 and r.id = $1 and r.lease_owner = $2 and r.state = 'running'
