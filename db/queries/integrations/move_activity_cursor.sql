-- The mark only moves forward.
update public.integrations set activity_cursor = greatest(activity_cursor, $2) where id = $1
