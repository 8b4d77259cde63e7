-- Service levels are the provider's promise: everybody signed in may read them.
select app.protect_provider('public.sla_policies', 'sla', '{insert,update,delete}'), app.protect_provider('public.sla_targets', 'sla', '{insert,update,delete}');
revoke insert, update, delete on public.sla_policies, public.sla_targets from worker;
create policy signed_in_select on public.sla_policies for select to authenticated, staff using (true);
create policy signed_in_select on public.sla_targets for select to authenticated, staff using (true);
grant select on public.sla_policies, public.sla_targets to authenticated, staff;
select app.open_to_system('public.sla_policies'), app.open_to_system('public.sla_targets');
select app.watch('public.sla_policies'), app.watch('public.sla_targets');

select app.protect('public.tickets', 'tickets', '{select,insert,update}');
revoke insert, update on public.tickets from authenticated, staff;
grant insert (customer_id, id, subject, description, priority, device_id) on public.tickets to authenticated, staff;
grant update (subject, description, priority, state, assigned_to, resolution) on public.tickets to staff;
grant update (subject, description) on public.tickets to authenticated;
select app.watch('public.tickets');

select app.protect('public.ticket_events', 'tickets', '{select,insert}');
revoke insert on public.ticket_events from authenticated, staff;
-- What happened to a ticket stays as it was written.
revoke update, delete on public.ticket_events from worker;
grant insert (customer_id, id, ticket_id, body, kind, is_internal) on public.ticket_events to staff;
grant insert (customer_id, id, ticket_id, body, kind) on public.ticket_events to authenticated;
-- Internal notes stay with the provider's people.
create policy member_not_internal on public.ticket_events as restrictive for select to authenticated using (not is_internal);
select app.watch('public.ticket_events');

-- Number, deadline, opener and state times are derived, whoever writes.
create or replace function app.ticket_before() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  minutes integer;
  asker text := current_setting('role');
begin
  if tg_op = 'INSERT' then
    -- Triggers run before policies. Who may not write here gets the policy's refusal, whether the customer exists or not: counting
    -- would tell (a counter refers to its customer).
    if (asker = 'staff' and not app.has('tickets:write'))
      or (asker = 'authenticated' and not coalesce(new.customer_id = any (app.customers_with('tickets:write')), false)) then
      new.number := 0;
    else
      new.number := app.next_number(new.customer_id, 'ticket');
    end if;
    if asker in ('authenticated', 'staff') then
      new.source := case asker when 'staff' then 'staff' else 'portal' end;
      new.opened_by := app.user_id();
      new.opened_at := now();
      new.state := 'open';
    end if;
  end if;
  if tg_op = 'INSERT' or new.priority is distinct from old.priority then
    select t.first_response_minutes into minutes from public.sla_targets t
      join public.sla_policies p on p.id = t.policy_id and p.is_default where t.priority = new.priority;
    if minutes is null then
      raise exception 'No default service level for priority %.', new.priority using errcode = 'PT409', hint = 'Set one in sla_targets.';
    end if;
    new.first_response_due_at := new.opened_at + make_interval(mins => minutes);
  end if;
  if tg_op = 'UPDATE' then
    new.updated_at := now();
    if new.state is distinct from old.state then
      if old.state = 'closed' then
        raise exception 'A closed ticket stays closed.' using errcode = 'PT409', hint = 'Open a new ticket that refers to it.';
      end if;
      if new.state in ('assigned', 'in_progress', 'waiting_on_customer', 'resolved', 'closed') then
        new.first_response_at := coalesce(new.first_response_at, now());
      end if;
      new.closed_at := case when new.state = 'closed' then coalesce(new.closed_at, now()) end;
    end if;
  end if;
  return new;
end $$;
comment on function app.ticket_before() is 'Definer: reads service levels and counts numbers, which not every writer may.';

create or replace function app.ticket_after() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    insert into public.ticket_events (customer_id, ticket_id, kind, body, actor_id)
    values (new.customer_id, new.id, 'opened', 'Opened with priority ' || upper(new.priority::text) || '.', app.user_id());
  else
    if new.state is distinct from old.state then
      insert into public.ticket_events (customer_id, ticket_id, kind, body, actor_id)
      values (new.customer_id, new.id, 'state', replace(old.state::text, '_', ' ') || ' to ' || replace(new.state::text, '_', ' ')
        || coalesce(': ' || nullif(new.resolution, ''), '.'), app.user_id());
    end if;
    if new.escalated_at is not null and old.escalated_at is null then
      insert into public.ticket_events (customer_id, ticket_id, kind, body, actor_id)
      values (new.customer_id, new.id, 'escalation', new.escalation_reason, app.user_id());
    end if;
  end if;
  return null;
end $$;
comment on function app.ticket_after() is 'Definer: writes the ticket''s history, which people may only add comments to.';

create or replace function app.ticket_event_before() returns trigger language plpgsql set search_path = '' as $$
begin
  if current_setting('role') in ('authenticated', 'staff') and current_user <> 'owner' then
    if new.kind <> 'comment' then
      raise exception 'People add comments; the other events come from what they record.' using errcode = 'PT403';
    end if;
    new.actor_id := app.user_id();
    new.at := now();
  end if;
  return new;
end $$;

-- The first comment of the provider's people is the first response.
create or replace function app.ticket_event_after() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if new.kind = 'comment' and not new.is_internal and current_setting('role') = 'staff' then
    update public.tickets t set first_response_at = now()
    where t.customer_id = new.customer_id and t.id = new.ticket_id and t.first_response_at is null;
  end if;
  return null;
end $$;
comment on function app.ticket_event_after() is 'Definer: stamps the ticket''s first response.';
create policy owner_select on public.sla_policies for select to owner using (true);
create policy owner_select on public.sla_targets for select to owner using (true);
create policy owner_select on public.tickets for select to owner using (true);
create policy owner_update on public.tickets for update to owner using (true) with check (true);
create policy owner_insert on public.ticket_events for insert to owner with check (true);
create trigger ticket_before before insert or update on public.tickets for each row execute function app.ticket_before();
create trigger ticket_after after insert or update on public.tickets for each row execute function app.ticket_after();
create trigger ticket_event_before before insert on public.ticket_events for each row execute function app.ticket_event_before();
create trigger ticket_event_after after insert on public.ticket_events for each row execute function app.ticket_event_after();

create or replace function app.incident_before() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  new.number := app.next_number(new.customer_id, 'incident');
  return new;
end $$;
comment on function app.incident_before() is 'Definer: counts numbers.';
create trigger incident_before before insert on public.incidents for each row execute function app.incident_before();

create view public.ticket_list with (security_invoker = true) as
  select t.customer_id, t.id, t.number, c.code || '-' || t.number as reference, t.subject, t.priority::text as priority, t.state::text as state, t.source,
         t.device_id, d.name as device_name, t.incident_id, t.assigned_to, t.opened_at, t.first_response_due_at, t.first_response_at, t.escalated_at,
         t.escalation_reason, t.closed_at, t.updated_at, c.name as customer_name,
         case when t.first_response_at is not null then case when t.first_response_at <= t.first_response_due_at then 'met' else 'breached' end
              when t.state = 'closed' then 'met'
              when now() > t.first_response_due_at then 'breached' else 'running' end as sla_state
  from public.tickets t
  left join public.customers c on c.id = t.customer_id
  left join public.devices d on d.customer_id = t.customer_id and d.id = t.device_id;
comment on view public.ticket_list is 'Tickets with customer, device and service level, for the list screen.';
grant select on public.ticket_list to authenticated, staff;

-- A notification belongs to one person.
create policy own_select on public.notifications for select to authenticated, staff using (user_id = (select app.user_id()) and (select app.session_lives()));
create policy own_update on public.notifications for update to authenticated, staff
  using (user_id = (select app.user_id()) and (select app.session_lives())) with check (user_id = (select app.user_id()));
create policy worker_insert on public.notifications for insert to worker
  with check (customer_id is not distinct from (select app.worker_customer()));
grant execute on function app.session_lives() to authenticated, staff;
grant select on public.notifications to authenticated, staff;
grant update (read_at) on public.notifications to authenticated, staff;
grant insert on public.notifications to worker;
