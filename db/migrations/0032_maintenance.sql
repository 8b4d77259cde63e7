-- Devices that people work on: for a bounded time their alerts are kept and page nobody.
create table public.device_maintenances (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  device_id      uuid not null,
  reason         text not null,
  features       text[] not null,
  state          text not null default 'starting',
  state_text     text,
  ends_at        timestamptz not null,
  requested_by   uuid references auth.users on delete set null,
  requested_at   timestamptz not null,
  run_id         uuid,
  verified_at    timestamptz,
  end_requested_by uuid references auth.users on delete set null,
  end_run_id     uuid,
  end_verified_at timestamptz,
  seen_at        timestamptz,
  looked_at      timestamptz not null,
  ended_at       timestamptz,
  end_reason     text,
  primary key (customer_id, id),
  foreign key (customer_id, device_id) references public.devices (customer_id, id) on delete cascade,
  foreign key (customer_id, run_id) references flow.runs (customer_id, id) on delete set null (run_id),
  foreign key (customer_id, end_run_id) references flow.runs (customer_id, id) on delete set null (end_run_id),
  constraint device_maintenances_reason_is_bounded check (length(trim(reason)) between 1 and 500),
  constraint device_maintenances_features_are_known check (cardinality(features) between 1 and 3 and features <@ array['patching', 'antivirus_scans', 'tasks']),
  constraint device_maintenances_state_is_known check (state in ('starting', 'active', 'ending', 'ended', 'failed')),
  constraint device_maintenances_last_a_week_at_most check (ends_at > requested_at and ends_at <= requested_at + interval '7 days'),
  constraint device_maintenances_active_are_verified check (state not in ('active', 'ending') or verified_at is not null),
  constraint device_maintenances_ended_say_when_and_why check ((state in ('ended', 'failed')) = (ended_at is not null) and (ended_at is null) = (end_reason is null)),
  constraint device_maintenances_end_reason_is_known check (end_reason in ('over', 'by_person', 'at_vendor', 'not_verified'))
);
create unique index device_maintenances_one_open on public.device_maintenances (customer_id, device_id) where state in ('starting', 'active', 'ending');
create index device_maintenances_device on public.device_maintenances (customer_id, device_id, requested_at desc);
create index device_maintenances_due on public.device_maintenances (looked_at, customer_id) where state in ('active', 'ending');
create index device_maintenances_run on public.device_maintenances (customer_id, run_id);
create index device_maintenances_end_run on public.device_maintenances (customer_id, end_run_id);
create index device_maintenances_requested_by on public.device_maintenances (requested_by);
create index device_maintenances_end_requested_by on public.device_maintenances (end_requested_by);
comment on table public.device_maintenances is 'A device is worked on for a bounded time: why, until when, what proved it, and how it ended. Owner: monitoring. Retention: 1 year after it ended.';

create table public.alert_mutes (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  alert_id       uuid not null,
  maintenance_id uuid not null,
  muted_at       timestamptz not null,
  ended_at       timestamptz,
  outcome        text,
  ended_by       uuid references auth.users on delete set null,
  primary key (customer_id, id),
  foreign key (customer_id, alert_id) references public.alerts (customer_id, id) on delete cascade,
  foreign key (customer_id, maintenance_id) references public.device_maintenances (customer_id, id) on delete cascade,
  constraint alert_mutes_ended_say_how check ((ended_at is null) = (outcome is null)),
  constraint alert_mutes_outcome_is_known check (outcome in ('returned', 'cleared', 'unmuted'))
);
create unique index alert_mutes_once on public.alert_mutes (customer_id, alert_id, maintenance_id);
create index alert_mutes_open on public.alert_mutes (customer_id, maintenance_id) where ended_at is null;
create index alert_mutes_maintenance on public.alert_mutes (customer_id, maintenance_id);
create index alert_mutes_ended_by on public.alert_mutes (ended_by);
comment on table public.alert_mutes is 'Alerts that paged nobody because their device was in maintenance, and what became of each. Owner: monitoring. Retention: as long as the alert.';

-- Whether tenants still let us in, asked for by itself every hour, and what is prepared when access or a secret ends.
create table public.tenant_canaries (
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  class          text not null,
  state          text not null default 'never',
  reason         text,
  permission     text,
  attempted_at   timestamptz not null,
  proved_at      timestamptz,
  failing_since  timestamptz,
  primary key (integration_id, external_id, class),
  constraint tenant_canaries_state_is_known check (state in ('never', 'proven', 'failing')),
  constraint tenant_canaries_failing_have_a_time check ((state = 'failing') = (failing_since is not null)),
  constraint tenant_canaries_proven_were_proved check (state = 'never' or proved_at is not null)
);
create index tenant_canaries_failing on public.tenant_canaries (integration_id, external_id) where state = 'failing';
comment on table public.tenant_canaries is 'When a cheap read last proved that a tenant lets the connection in, per class of permissions, and since when it does not. Owner: platform. Retention: as long as the connection.';

alter table public.integrations add column credentials_end_at timestamptz;

create table public.expiry_renewals (
  integration_id uuid not null references public.integrations on delete cascade,
  kind           text not null,
  external_id    text not null,
  customer_id    uuid not null references public.customers on delete cascade,
  ticket_id      uuid not null,
  ends_at        timestamptz not null,
  days           smallint not null,
  opened_at      timestamptz not null,
  primary key (customer_id, integration_id, kind, external_id),
  foreign key (customer_id, ticket_id) references public.tickets (customer_id, id) on delete cascade,
  constraint expiry_renewals_days_are_days check (days >= 0)
);
create index expiry_renewals_ticket on public.expiry_renewals (customer_id, ticket_id);
create index expiry_renewals_integration on public.expiry_renewals (integration_id, kind, external_id);
comment on table public.expiry_renewals is 'The ticket in which an end is renewed, and how near the end was when people were last told in it. Owner: platform. Retention: until it is renewed.';

-- What is left to pay of a bill, as the billing system says.
alter table public.bills add column open_amount numeric(14,2);
