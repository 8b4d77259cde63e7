-- Also what callers may know: people read these columns only.
select id, vendor, name, enabled from public.integrations where id = $1
