-- Whether the caller may see this baseline.
select id, name from public.baselines where id = $1 and archived_at is null
