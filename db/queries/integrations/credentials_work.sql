-- What was wrong last stays, so that the same is no news soon after.
update public.integrations set credentials_failed_at = null where id = $1 and credentials_failed_at is not null
