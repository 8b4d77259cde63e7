insert into app.function_calls (user_id, id, function, request_id, began_at, idempotency_key, input_sha256, lease_until)
values (app.user_id(), $1, $2, $3, $4, $5, $6, $7)
on conflict (user_id, function, idempotency_key) where idempotency_key is not null do nothing
