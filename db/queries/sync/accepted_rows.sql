-- How many rows of this part a person accepted as gone, unless the vendor says otherwise of each.
select p.rows_to_ask from public.sync_runs r
join public.sync_parts p on p.sync_run_id = r.accepted_run_id and p.part = $2 and p.state = 'suspect'
where r.id = $1
