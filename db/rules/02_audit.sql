-- Nobody writes the log but the trigger (as owner); nobody updates it but the sealer; nobody deletes from it.
create policy owner_insert on audit.log for insert to owner with check (true);
create policy staff_select on audit.log for select to staff using ((select app.has('audit:read')));
create policy member_select on audit.log for select to authenticated using (customer_id = any ((select app.customers_with('audit:read'))::uuid[]));
create policy system_select on audit.log for select to system using (true);
create policy system_seal on audit.log for update to system using (seal_seq is null) with check (seal_seq is not null);
grant select on audit.log to staff, authenticated, system;
grant update (seal_seq, seal_position) on audit.log to system;

create policy staff_select on audit.seals for select to staff using ((select app.has('audit:read')));
create policy system_select on audit.seals for select to system using (true);
create policy system_insert on audit.seals for insert to system with check (true);
grant select on audit.seals to staff;
grant select, insert on audit.seals to system;

create policy owner_select on audit.log_default for select to owner using (true);

create view public.audit_log with (security_invoker = true) as
  select l.id, l.at, l.customer_id, l.table_name, l.verb, l.actor_role, l.actor_id, l.request_id, l.reason, l.row_id, l.before, l.after, l.seal_seq
  from audit.log l;
comment on view public.audit_log is 'The audit log, for those with audit:read.';
grant select on public.audit_log to staff, authenticated;

create policy owner_all on app.schema_history for all to owner using (true) with check (true);
create policy system_select on app.schema_history for select to system using (true);
grant select on app.schema_history to system;
grant usage on schema app to system;
