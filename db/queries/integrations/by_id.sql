-- Also what callers may know: people read these columns only.
select id, vendor, name, enabled, credentials_failed_at from public.integrations where id = $1
