select table_name, removed::bigint as removed, is_full, problem from app.expire($1, $2)
