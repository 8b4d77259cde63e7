-- Calls of functions: written by the server as the caller, in the caller's own rows. An ended session reads no stored answer.
create policy own_select on app.function_calls for select to authenticated, staff
  using (user_id = (select app.user_id()) and (select app.session_lives()));
create policy own_insert on app.function_calls for insert to authenticated, staff with check (user_id = (select app.user_id()));
create policy own_update on app.function_calls for update to authenticated, staff
  using (user_id = (select app.user_id())) with check (user_id = (select app.user_id()));
-- Who reviews what was done sees everybody's calls.
create policy auditor_select on app.function_calls for select to staff using ((select app.has('audit:read')));
grant select, insert on app.function_calls to authenticated, staff;
grant update (ended_at, status, error_code, idempotency_key, input_sha256, lease_until, answer) on app.function_calls to authenticated, staff;
select app.open_to_system('app.function_calls', 'select, update');

create view public.function_calls with (security_invoker = true) as
  select c.user_id, c.id, c.function, c.request_id, c.began_at, c.ended_at, c.status, c.error_code, c.idempotency_key
  from app.function_calls c;
comment on view public.function_calls is 'Calls of functions and their outcome: one''s own, and everybody''s for those with audit:read. A call without an end was broken off.';
grant select on public.function_calls to authenticated, staff;
