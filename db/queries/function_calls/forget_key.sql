update app.function_calls set idempotency_key = null, input_sha256 = null, lease_until = null, answer = null
where user_id = app.user_id() and id = $1
