delete from app.function_calls where began_at <= $1
