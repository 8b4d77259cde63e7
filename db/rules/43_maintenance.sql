-- Windows and muted alerts: people read them, and change them through the function `maintenance`; background work writes them.
select app.protect('public.device_maintenances', 'devices', '{select}');
select app.protect('public.alert_mutes', 'alerts', '{select}');
select app.watch('public.alert_mutes');
-- That a window was looked at, or seen in a list again, is no change.
create trigger audit after insert or delete or update of state, state_text, ends_at, run_id, end_run_id, verified_at, end_verified_at on public.device_maintenances
  for each row execute function app.audit();
-- Which customers have windows to look at: keys and times only.
create policy system_select on public.device_maintenances for select to system using (true);
grant select (customer_id, state, ends_at, end_verified_at, looked_at) on public.device_maintenances to system;

create view public.device_maintenance_list with (security_invoker = true) as
  select m.customer_id, m.id, m.device_id, d.name as device_name, c.name as customer_name, m.reason, m.features, m.state, m.state_text, m.ends_at, m.requested_at,
         m.run_id, m.verified_at, m.end_run_id, m.ended_at, m.end_reason,
         (select count(*)::integer from public.alert_mutes a where a.customer_id = m.customer_id and a.maintenance_id = m.id) as alerts_muted
  from public.device_maintenances m
  left join public.devices d on d.customer_id = m.customer_id and d.id = m.device_id
  left join public.customers c on c.id = m.customer_id;
comment on view public.device_maintenance_list is 'Maintenance windows with their device and how many alerts they muted.';

create view public.alert_mute_list with (security_invoker = true) as
  select x.customer_id, x.id, x.alert_id, x.maintenance_id, x.muted_at, x.ended_at, x.outcome, a.device_id, a.title, a.severity, a.state::text as alert_state,
         c.name as customer_name, i.id as incident_id, i.number as incident_number, c.code as customer_code
  from public.alert_mutes x
  left join public.alerts a on a.customer_id = x.customer_id and a.id = x.alert_id
  left join public.customers c on c.id = x.customer_id
  left join public.incidents i on i.customer_id = x.customer_id and i.alert_id = x.alert_id;
comment on view public.alert_mute_list is 'The log of muted alerts: since when, by which window, and what became of each.';
grant select on public.device_maintenance_list, public.alert_mute_list to authenticated, staff;
