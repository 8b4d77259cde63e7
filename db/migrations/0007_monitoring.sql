-- Alerts, incidents, and the rules that answer them.
create table public.remediation_rules (
  id             uuid primary key default app.uuid_v7(),
  name           text not null,
  condition_kind text not null,
  when_cel       text not null default 'true',
  workflow_id    uuid not null references public.workflows,
  parameters     jsonb not null default '{}',
  requires_approval boolean not null default true,
  devices_per_hour_max integer not null default 5,
  position       smallint not null default 100,
  enabled        boolean not null default true,
  created_at     timestamptz not null default now(),
  constraint remediation_rules_budget_is_positive check (devices_per_hour_max between 1 and 1000),
  constraint remediation_rules_condition_is_short check (length(when_cel) <= 2000)
);
create unique index remediation_rules_name_once on public.remediation_rules (name);
create index remediation_rules_workflow on public.remediation_rules (workflow_id);
comment on table public.remediation_rules is 'Which workflow answers which kind of condition, for which devices (CEL), with or without approval. Owner: monitoring. Retention: until removed.';

create domain public.alert_state as text constraint alert_state_is_known check (value in ('open', 'acknowledged', 'resolved'));
create domain public.incident_state as text constraint incident_state_is_known check (value in ('open', 'remediating', 'needs_attention', 'resolved'));

create table public.alerts (
  customer_id  uuid not null references public.customers on delete cascade,
  id           uuid not null default app.uuid_v7(),
  source       text not null,
  dedup_key    text not null,
  device_id    uuid,
  condition_id uuid,
  kind         text not null,
  severity     text not null,
  title        text not null,
  state        public.alert_state not null default 'open',
  occurrences  integer not null default 1,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  acknowledged_by uuid references auth.users on delete set null,
  resolved_at  timestamptz,
  primary key (customer_id, id),
  foreign key (customer_id, device_id) references public.devices (customer_id, id) on delete set null (device_id),
  foreign key (customer_id, condition_id) references public.device_conditions (customer_id, id) on delete set null (condition_id),
  constraint alerts_severity_is_known check (severity in ('info', 'minor', 'moderate', 'major', 'critical')),
  constraint alerts_resolved_has_a_time check ((state = 'resolved') = (resolved_at is not null)),
  constraint alerts_occurrences_is_positive check (occurrences >= 1)
);
create unique index alerts_open_once on public.alerts (customer_id, dedup_key) where state <> 'resolved';
create index alerts_customer_seen on public.alerts (customer_id, last_seen_at desc);
-- The order in which the console lists over all customers.
create index alerts_seen on public.alerts (last_seen_at desc nulls last);
create index alerts_device on public.alerts (customer_id, device_id);
create index alerts_condition on public.alerts (customer_id, condition_id);
create index alerts_acknowledged_by on public.alerts (acknowledged_by);
comment on table public.alerts is 'A signal that something is wrong, once per cause however often it is reported. Owner: monitoring. Retention: 1 year.';

create table public.incidents (
  customer_id uuid not null references public.customers on delete cascade,
  id          uuid not null default app.uuid_v7(),
  number      bigint not null,
  alert_id    uuid,
  device_id   uuid,
  rule_id     uuid references public.remediation_rules on delete set null,
  run_id      uuid,
  title       text not null,
  severity    text not null,
  state       public.incident_state not null default 'open',
  opened_at   timestamptz not null,
  resolved_at timestamptz,
  resolution  text,
  primary key (customer_id, id),
  foreign key (customer_id, alert_id) references public.alerts (customer_id, id) on delete set null (alert_id),
  foreign key (customer_id, device_id) references public.devices (customer_id, id) on delete set null (device_id),
  foreign key (customer_id, run_id) references flow.runs (customer_id, id) on delete set null (run_id),
  constraint incidents_severity_is_known check (severity in ('info', 'minor', 'moderate', 'major', 'critical')),
  constraint incidents_resolved_has_a_time check ((state = 'resolved') = (resolved_at is not null))
);
create unique index incidents_alert_once on public.incidents (customer_id, alert_id);
create unique index incidents_number_once on public.incidents (customer_id, number);
create index incidents_customer_opened on public.incidents (customer_id, opened_at desc);
create index incidents_opened on public.incidents (opened_at desc nulls last);
create index incidents_open on public.incidents (customer_id, state) where state <> 'resolved';
create index incidents_device on public.incidents (customer_id, device_id);
create index incidents_rule on public.incidents (rule_id);
create index incidents_run on public.incidents (customer_id, run_id);
comment on table public.incidents is 'A disturbance that somebody or something has to end, and how it ended. Owner: monitoring. Retention: 7 years.';
