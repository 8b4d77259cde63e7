select app.protect_provider('public.remediation_rules', 'rules');
revoke insert, update, delete on public.remediation_rules from worker;
select app.open_to_system('public.remediation_rules');
select app.watch('public.remediation_rules');

select app.protect('public.alerts', 'alerts', '{select,update}');
revoke update on public.alerts from authenticated, staff;
grant update (state, acknowledged_by) on public.alerts to authenticated, staff;
select app.protect('public.incidents', 'incidents', '{select}');
select app.watch('public.alerts'), app.watch('public.incidents');

-- Through the data API an alert is acknowledged; only its source resolves it.
create or replace function app.acknowledge_alert() returns trigger language plpgsql set search_path = '' as $$
begin
  if current_setting('role') in ('authenticated', 'staff') then
    if new.state is distinct from old.state and not (old.state = 'open' and new.state = 'acknowledged') then
      raise exception 'An open alert can be acknowledged; it resolves when its source reports that the condition is gone.' using errcode = 'PT409';
    end if;
    new.acknowledged_by := case when new.state = 'acknowledged' then app.user_id() else old.acknowledged_by end;
  end if;
  return new;
end $$;
create trigger acknowledge_alert before update on public.alerts for each row execute function app.acknowledge_alert();

create view public.alert_list with (security_invoker = true) as
  select a.customer_id, a.id, a.source, a.kind, a.severity, a.title, a.state::text as state, a.occurrences, a.first_seen_at, a.last_seen_at, a.resolved_at,
         a.device_id, d.name as device_name, c.name as customer_name, i.id as incident_id, i.number as incident_number, c.code as customer_code,
         (select m.muted_at from public.alert_mutes m where m.customer_id = a.customer_id and m.alert_id = a.id and m.ended_at is null
            order by m.muted_at desc limit 1) as muted_at
  from public.alerts a
  left join public.customers c on c.id = a.customer_id
  left join public.devices d on d.customer_id = a.customer_id and d.id = a.device_id
  left join public.incidents i on i.customer_id = a.customer_id and i.alert_id = a.id;
comment on view public.alert_list is 'Alerts with device, customer and incident, for the list screen.';
create view public.incident_list with (security_invoker = true) as
  select i.customer_id, i.id, i.number, c.code || '-I' || i.number as reference, i.title, i.severity, i.state::text as state, i.opened_at, i.resolved_at,
         i.resolution, i.alert_id, i.device_id, d.name as device_name, c.name as customer_name, i.run_id, r.state::text as run_state, i.rule_id,
         t.id as ticket_id, t.number as ticket_number, c.code || '-' || t.number as ticket_reference
  from public.incidents i
  left join public.customers c on c.id = i.customer_id
  left join public.devices d on d.customer_id = i.customer_id and d.id = i.device_id
  left join flow.runs r on r.customer_id = i.customer_id and r.id = i.run_id
  left join public.tickets t on t.customer_id = i.customer_id and t.incident_id = i.id;
comment on view public.incident_list is 'Incidents with device, customer, run and ticket, for the list screen.';
grant select on public.alert_list, public.incident_list to authenticated, staff;
