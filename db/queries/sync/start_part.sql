-- A part that goes on keeps its counts; one that starts over begins them anew.
update public.sync_parts p
set state = case when p.reads > 1 then p.state else 'running' end, started_at = coalesce(p.started_at, $4), rows_before = coalesce(p.rows_before, $5),
    pages_read = case when $6::boolean then 0 else p.pages_read end,
    rows_read = case when $6::boolean then 0 else p.rows_read end,
    rows_created = case when $6::boolean then 0 else p.rows_created end,
    rows_updated = case when $6::boolean then 0 else p.rows_updated end,
    rows_unchanged = case when $6::boolean then 0 else p.rows_unchanged end,
    rows_removed = case when $6::boolean then 0 else p.rows_removed end,
    rows_unmapped = case when $6::boolean then 0 else p.rows_unmapped end
from public.sync_runs r
where p.sync_run_id = $1 and p.part = $3 and r.id = $1 and r.lease_owner = $2 and r.state = 'running'
