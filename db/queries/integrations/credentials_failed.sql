-- The first to notice writes it down and tells people; no row: it is known.
update public.integrations set credentials_failed_at = $2, credentials_problem = $3
where id = $1 and credentials_failed_at is null returning name
