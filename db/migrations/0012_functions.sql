-- Calls of functions: who called what, with which outcome, and for a day the answer that belongs to an idempotency key.
create table app.function_calls (
  user_id     uuid not null references auth.users on delete cascade,
  id          uuid not null default app.uuid_v7(),
  function    text not null,
  request_id  uuid,
  began_at    timestamptz not null,
  ended_at    timestamptz,
  status      smallint,
  error_code  text,
  idempotency_key text,
  input_sha256 text,
  lease_until timestamptz,
  answer      text,
  primary key (user_id, id),
  constraint function_calls_key_is_bounded check (length(idempotency_key) between 1 and 255)
);
create unique index function_calls_key_once on app.function_calls (user_id, function, idempotency_key) where idempotency_key is not null;
create index function_calls_began on app.function_calls (began_at);
comment on table app.function_calls is 'A person''s call of a function: when, with which outcome, and under which idempotency key. Owner: platform. Retention: 90 days; keys and answers 1 day.';
