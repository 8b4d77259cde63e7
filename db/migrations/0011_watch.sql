-- The watch: who read what, canary rows, probes of the isolation, security alerts of the provider, and the freeze of exports.
create table audit.access (
  minute        timestamptz not null,
  id            uuid not null default app.uuid_v7(),
  actor_id      uuid,
  session_id    uuid,
  actor_role    text not null,
  source        text not null,
  subject       text not null default '',
  shape         text not null default '',
  request_count bigint not null,
  row_count     bigint not null,
  first_at      timestamptz not null,
  last_at       timestamptz not null,
  last_request_id uuid,
  primary key (minute, id),
  constraint access_source_is_known check (source in ('rest', 'csv', 'write', 'rpc', 'file', 'list', 'feed', 'export', 'not_itemized')),
  constraint access_counts_something check (request_count >= 1 and row_count >= 0),
  constraint access_shape_is_bounded check (octet_length(shape) <= 480 and octet_length(subject) <= 240)
) partition by range (minute);
comment on table audit.access is 'Who read how much of what, and by which shape of question, per minute; values of filters are not in it. Owner: security. Retention: 3 whole months.';
create index access_actor on audit.access (actor_id, minute desc);
create index access_subject on audit.access (subject, minute desc);
create table audit.access_default partition of audit.access default;
comment on table audit.access_default is 'Rows of audit.access outside every monthly partition. Owner: security. Retention: 3 whole months.';

create table public.canaries (
  customer_id uuid primary key references public.customers on delete cascade,
  token       text not null,
  planted_at  timestamptz not null default now(),
  constraint canaries_token_is_recognized check (token like 'canary\_%')
);
create unique index canaries_token_once on public.canaries (token);
comment on table public.canaries is 'One row per customer that nobody has a reason to read: seen by another customer, the isolation is broken. Owner: security. Retention: as long as the customer.';
-- Migrations see no customer either, unless the policies step aside for this statement.
alter table public.customers no force row level security;
insert into public.canaries (customer_id, token)
  select c.id, 'canary_' || replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '') from public.customers c;
alter table public.customers force row level security;

create table public.security_alerts (
  id          uuid primary key default app.uuid_v7(),
  kind        text not null,
  severity    text not null,
  dedup_key   text not null,
  title       text not null,
  detail      jsonb not null default '{}',
  actor_id    uuid references auth.users on delete set null,
  window_from timestamptz,
  window_until timestamptz,
  state       text not null default 'open',
  occurrences integer not null default 1,
  raised_at   timestamptz not null,
  last_seen_at timestamptz not null,
  acknowledged_by uuid references auth.users on delete set null,
  acknowledged_at timestamptz,
  reason      text,
  constraint security_alerts_kind_is_known check (kind in ('isolation_breach', 'probe_failed', 'unusual_volume')),
  constraint security_alerts_severity_is_known check (severity in ('p1', 'p2', 'p3')),
  constraint security_alerts_state_is_known check (state in ('open', 'acknowledged')),
  constraint security_alerts_acknowledged_has_a_reason check (
    (state = 'acknowledged') = (acknowledged_at is not null) and (state = 'open' or coalesce(length(trim(reason)) between 3 and 500, false))),
  constraint security_alerts_occurrences_is_positive check (occurrences >= 1)
);
create unique index security_alerts_open_once on public.security_alerts (dedup_key) where state = 'open';
create index security_alerts_dedup on public.security_alerts (dedup_key);
create index security_alerts_raised on public.security_alerts (raised_at desc);
create index security_alerts_actor on public.security_alerts (actor_id);
create index security_alerts_acknowledged_by on public.security_alerts (acknowledged_by);
comment on table public.security_alerts is 'What threatens the provider as a whole, not one device of one customer: a breach of the isolation, a probe that cannot see, a person who reads unusually much. Owner: security. Retention: 7 years.';

create table public.export_freezes (
  id         uuid primary key default app.uuid_v7(),
  alert_id   uuid references public.security_alerts on delete set null,
  reason     text not null,
  frozen_at  timestamptz not null,
  lifted_at  timestamptz,
  lifted_by  uuid references auth.users on delete set null,
  lift_reason text,
  constraint export_freezes_lifted_has_a_reason check (
    (lifted_at is null) = (lift_reason is null) and (lift_reason is null or length(trim(lift_reason)) between 3 and 500))
);
create unique index export_freezes_open_once on public.export_freezes ((true)) where lifted_at is null;
create index export_freezes_alert on public.export_freezes (alert_id);
create index export_freezes_lifted_by on public.export_freezes (lifted_by);
comment on table public.export_freezes is 'While one is not lifted, nothing leaves as an export. Owner: security. Retention: 7 years.';

create table public.isolation_probes (
  id          uuid primary key default app.uuid_v7(),
  began_at    timestamptz not null,
  ended_at    timestamptz,
  outcome     text not null default 'running',
  base_url    text not null,
  request_count integer not null default 0,
  customer_count integer not null default 0,
  cursor_id   uuid,
  findings    jsonb not null default '[]',
  error       text,
  constraint isolation_probes_outcome_is_known check (outcome in ('running', 'clean', 'breach', 'failed')),
  constraint isolation_probes_ended_has_a_time check ((outcome = 'running') = (ended_at is null)),
  constraint isolation_probes_failed_says_why check ((outcome = 'failed') = (error is not null))
);
create index isolation_probes_began on public.isolation_probes (began_at desc);
comment on table public.isolation_probes is 'Each hour the product asks itself, from outside, for rows of other customers: what came of it. Owner: security. Retention: 90 days.';
