update app.function_calls set ended_at = $2, status = $3, error_code = $4, answer = $5
where user_id = app.user_id() and id = $1 and ended_at is null
