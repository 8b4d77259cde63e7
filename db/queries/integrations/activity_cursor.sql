select activity_cursor from public.integrations where id = $1
