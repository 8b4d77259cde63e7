-- What happens in tenants: changes of the directory, sign-ins, and from when to when each of the two was read without a gap.
alter table public.tenant_parts
  drop constraint tenant_parts_part_is_known,
  add constraint tenant_parts_part_is_known
    check (part in ('organization', 'seats', 'people', 'sign_ins', 'registrations', 'mfa_states', 'policies', 'roles', 'managed_devices', 'applications', 'secure_score',
      'directory_changes', 'sign_in_log', 'security_alerts', 'subscriptions'));

create table public.directory_changes (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  tenant_id      uuid not null,
  external_id    text not null,
  happened_at    timestamptz not null,
  activity       text not null,
  category       text not null,
  service        text,
  outcome        text not null,
  outcome_reason text,
  actor_kind     text not null,
  actor_external text,
  actor_name     text not null,
  actor_ip       text,
  target_kind    text,
  target_external text,
  target_name    text,
  skus_added     uuid[] not null default '{}',
  skus_removed   uuid[] not null default '{}',
  properties     jsonb not null default '[]',
  further_targets integer not null default 0,
  observed_at    timestamptz not null,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade,
  constraint directory_changes_outcome_is_known check (outcome in ('success', 'failure', 'timeout', 'unknown')),
  constraint directory_changes_actor_is_known check (actor_kind in ('person', 'application', 'unknown')),
  constraint directory_changes_properties_are_bounded check (jsonb_typeof(properties) = 'array' and jsonb_array_length(properties) <= 30),
  constraint directory_changes_targets_are_a_count check (further_targets >= 0)
);
create unique index directory_changes_once on public.directory_changes (customer_id, tenant_id, external_id);
create index directory_changes_time on public.directory_changes (happened_at, id);
create index directory_changes_customer_time on public.directory_changes (customer_id, happened_at, id);
create index directory_changes_target on public.directory_changes (customer_id, tenant_id, target_external, happened_at);
create index directory_changes_seats on public.directory_changes (customer_id, happened_at) where skus_added <> '{}' or skus_removed <> '{}';
create index directory_changes_actor on public.directory_changes (customer_id, tenant_id, actor_external, happened_at);
comment on table public.directory_changes is 'A change in the directory of a tenant: who did what to whom, when, and with which outcome. Owner: security. Retention: 180 days unless the operator says otherwise.';

create table public.tenant_sign_ins (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  tenant_id      uuid not null,
  external_id    text not null,
  happened_at    timestamptz not null,
  user_external  text,
  user_name      text not null,
  user_principal_name text,
  app_name       text,
  client_app     text,
  ip_address     text,
  city           text,
  country        text,
  device_name    text,
  operating_system text,
  outcome        text not null,
  error_code     integer not null,
  reason         text,
  conditional_access text,
  risk           text,
  observed_at    timestamptz not null,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade,
  constraint tenant_sign_ins_outcome_is_known check (outcome in ('success', 'interrupted', 'failure')),
  constraint tenant_sign_ins_success_has_no_error check ((outcome = 'success') = (error_code = 0))
);
create unique index tenant_sign_ins_once on public.tenant_sign_ins (customer_id, tenant_id, external_id);
create index tenant_sign_ins_time on public.tenant_sign_ins (happened_at, id);
create index tenant_sign_ins_customer_time on public.tenant_sign_ins (customer_id, happened_at, id);
create index tenant_sign_ins_user on public.tenant_sign_ins (customer_id, tenant_id, user_external, happened_at);
comment on table public.tenant_sign_ins is 'A sign-in of an account of a tenant: when, from where, to which application, and what came of it. Owner: security. Retention: 30 days unless the operator says otherwise.';

-- Spans follow one another and never overlap: read, lost, or the one open gap at the end.
create table public.activity_spans (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  tenant_id      uuid not null,
  stream         text not null,
  state          text not null,
  from_at        timestamptz not null,
  to_at          timestamptz not null,
  reason         text,
  permission     text,
  event_count    integer not null default 0,
  late_count     integer not null default 0,
  attempted_at   timestamptz not null,
  primary key (customer_id, id),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade,
  constraint activity_spans_stream_is_known check (stream in ('directory_changes', 'sign_in_log')),
  constraint activity_spans_state_is_known check (state in ('read', 'gap', 'lost')),
  constraint activity_spans_end_after_they_begin check (to_at >= from_at),
  constraint activity_spans_say_why_not check ((state = 'read') = (reason is null)),
  constraint activity_spans_counts_are_counts check (least(event_count, late_count) >= 0)
) with (fillfactor = 80);
create unique index activity_spans_once on public.activity_spans (customer_id, tenant_id, stream, from_at, state);
create unique index activity_spans_one_gap on public.activity_spans (customer_id, tenant_id, stream) where state = 'gap';
comment on table public.activity_spans is 'From when to when a stream of a tenant''s events was read without a gap, where it was not and why, and what the vendor no longer has. Owner: security. Retention: as long as the events.';

-- Of a subscription only the hash of its secret is kept: nothing needs the secret again.
create table public.tenant_subscriptions (
  integration_id uuid not null references public.integrations on delete cascade,
  tenant_external text not null,
  external_id    text,
  secret_sha256  bytea not null,
  asked_at       timestamptz not null,
  expires_at     timestamptz,
  renewed_at     timestamptz,
  renew_now      boolean not null default false,
  due_at         timestamptz,
  told_at        timestamptz,
  told_count     bigint not null default 0,
  missed_count   bigint not null default 0,
  primary key (integration_id, tenant_external),
  constraint tenant_subscriptions_stand_with_their_end check ((external_id is null) = (expires_at is null)),
  constraint tenant_subscriptions_counts_are_counts check (least(told_count, missed_count) >= 0)
) with (fillfactor = 80);
comment on table public.tenant_subscriptions is 'That Microsoft tells of changes in a tenant: until when, how often it has, and whether the tenant is to be read because of it. Owner: integrations. Retention: as long as the integration.';
