insert into app.function_calls (user_id, id, function, request_id, began_at, ended_at, status, error_code)
values (app.user_id(), $1, $2, $3, $4, $5, $6, $7)
