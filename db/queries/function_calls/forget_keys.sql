update app.function_calls set idempotency_key = null, input_sha256 = null, lease_until = null, answer = null
where idempotency_key is not null and began_at <= $1
