select c.id, c.input_sha256, c.began_at, c.lease_until, c.ended_at, c.status, c.answer
from app.function_calls c
where c.user_id = app.user_id() and c.function = $1 and c.idempotency_key = $2
for update
