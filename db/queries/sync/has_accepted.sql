select accepted_at is not null as has_accepted from public.sync_runs where id = $1
