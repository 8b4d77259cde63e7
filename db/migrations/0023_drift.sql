-- What tenants' settings are demanded to be, in layers, and where they are not.

-- What people need to know of a setting; one that is not here is known by its key only.
create table public.standards (
  setting        text primary key,
  name           text not null,
  category       text not null,
  what           text not null,
  why            text not null,
  rule           jsonb not null,
  severity       text not null,
  license        text,
  constraint standards_severity_is_known check (severity in ('low', 'medium', 'high', 'critical'))
);
comment on table public.standards is 'The library of settings: what each does, why it matters, and what is usually demanded. Owner: security. Retention: with the product.';

create table public.baselines (
  id             uuid primary key default app.uuid_v7(),
  kind           text not null,
  name           text not null,
  description    text not null default '',
  created_by     uuid references auth.users on delete set null,
  created_at     timestamptz not null default now(),
  archived_at    timestamptz,
  constraint baselines_kind_is_known check (kind in ('provider', 'tier')),
  constraint baselines_name_is_not_empty check (length(trim(name)) between 1 and 200),
  constraint baselines_description_is_bounded check (length(description) <= 2000)
);
create unique index baselines_one_of_the_provider on public.baselines (kind) where kind = 'provider' and archived_at is null;
create unique index baselines_name_once on public.baselines (lower(name)) where archived_at is null;
create index baselines_created_by on public.baselines (created_by);
comment on table public.baselines is 'A set of demands: the one of the provider for all customers, or a tier that some customers follow. Owner: security. Retention: 7 years after it was archived.';

create table public.baseline_entries (
  id             uuid primary key default app.uuid_v7(),
  baseline_id    uuid not null references public.baselines on delete cascade,
  setting        text not null,
  rule           jsonb,
  is_demanded    boolean not null generated always as (rule is not null) stored,
  severity       text not null,
  why            text not null default '',
  updated_by     uuid references auth.users on delete set null,
  updated_at     timestamptz not null default now(),
  constraint baseline_entries_setting_is_bounded check (length(trim(setting)) between 1 and 200),
  constraint baseline_entries_rule_is_bounded check (pg_column_size(rule) <= 16384),
  constraint baseline_entries_severity_is_known check (severity in ('low', 'medium', 'high', 'critical')),
  constraint baseline_entries_why_is_bounded check (length(why) <= 2000)
);
create unique index baseline_entries_once on public.baseline_entries (baseline_id, setting);
create index baseline_entries_updated_by on public.baseline_entries (updated_by);
comment on table public.baseline_entries is 'What a baseline says of one setting: its rule, or that it is not demanded. Owner: security. Retention: as long as the baseline.';

create table public.customer_tiers (
  customer_id    uuid primary key references public.customers on delete cascade,
  baseline_id    uuid not null references public.baselines on delete cascade,
  set_by         uuid references auth.users on delete set null,
  set_at         timestamptz not null default now()
);
create index customer_tiers_baseline on public.customer_tiers (baseline_id);
create index customer_tiers_set_by on public.customer_tiers (set_by);
comment on table public.customer_tiers is 'Which tier a customer follows. Owner: security. Retention: as long as the customer.';

create table public.customer_baseline_entries (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  setting        text not null,
  rule           jsonb,
  is_demanded    boolean not null generated always as (rule is not null) stored,
  severity       text not null,
  why            text not null default '',
  updated_by     uuid references auth.users on delete set null,
  updated_at     timestamptz not null default now(),
  primary key (customer_id, id),
  constraint customer_baseline_entries_setting_is_bounded check (length(trim(setting)) between 1 and 200),
  constraint customer_baseline_entries_rule_is_bounded check (pg_column_size(rule) <= 16384),
  constraint customer_baseline_entries_severity_is_known check (severity in ('low', 'medium', 'high', 'critical')),
  constraint customer_baseline_entries_why_is_bounded check (length(why) <= 2000)
);
create unique index customer_baseline_entries_once on public.customer_baseline_entries (customer_id, setting);
create index customer_baseline_entries_updated_by on public.customer_baseline_entries (updated_by);
comment on table public.customer_baseline_entries is 'What is said of one setting for one customer only, over its tier and the provider''s baseline. Owner: security. Retention: as long as the customer.';

create table public.drift_exceptions (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  cipp_tenant_id uuid not null,
  setting        text not null,
  value          jsonb,
  reason         text not null,
  until          timestamptz not null,
  created_by     uuid references auth.users on delete set null,
  created_at     timestamptz not null default now(),
  ended_at       timestamptz,
  ended_by       uuid references auth.users on delete set null,
  primary key (customer_id, id),
  foreign key (customer_id, cipp_tenant_id) references public.cipp_tenants (customer_id, id) on delete cascade,
  constraint drift_exceptions_reason_is_bounded check (length(trim(reason)) between 1 and 2000),
  constraint drift_exceptions_last_a_year_at_most check (until > created_at and until <= created_at + interval '366 days')
);
create unique index drift_exceptions_one_in_force on public.drift_exceptions (customer_id, cipp_tenant_id, setting) where ended_at is null;
create index drift_exceptions_tenant on public.drift_exceptions (customer_id, cipp_tenant_id);
create index drift_exceptions_until on public.drift_exceptions (until, customer_id, id) where ended_at is null;
create index drift_exceptions_created_by on public.drift_exceptions (created_by);
create index drift_exceptions_ended_by on public.drift_exceptions (ended_by);
comment on table public.drift_exceptions is 'A deviation that a person accepted for one tenant, with a reason, for a time. Owner: security. Retention: 7 years after it ended.';

create table public.drifts (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  cipp_tenant_id uuid not null,
  setting        text not null,
  state          text not null,
  state_text     text,
  severity       text not null,
  severity_rank  smallint not null generated always as (case severity when 'critical' then 1 when 'high' then 2 when 'medium' then 3 else 4 end) stored,
  rule           jsonb not null,
  desired_text   text not null,
  actual         jsonb,
  actual_text    text,
  why            text not null default '',
  layer          text not null,
  baseline_id    uuid references public.baselines on delete set null,
  layer_name     text not null,
  cause          jsonb,
  unknown_kind   text,
  first_seen_at  timestamptz not null,
  since          timestamptz not null,
  evaluated_at   timestamptz not null,
  observed_at    timestamptz,
  exception_id   uuid,
  denied_by      uuid references auth.users on delete set null,
  denied_at      timestamptz,
  denied_reason  text,
  run_id         uuid,
  ticket_id      uuid,
  closed_at      timestamptz,
  close_reason   text,
  primary key (customer_id, id),
  foreign key (customer_id, cipp_tenant_id) references public.cipp_tenants (customer_id, id) on delete cascade,
  foreign key (customer_id, exception_id) references public.drift_exceptions (customer_id, id) on delete set null (exception_id),
  foreign key (customer_id, run_id) references flow.runs (customer_id, id) on delete set null (run_id),
  foreign key (customer_id, ticket_id) references public.tickets (customer_id, id) on delete set null (ticket_id),
  constraint drifts_state_is_known check (state in ('open', 'denied', 'accepted', 'remediating', 'unknown', 'closed')),
  constraint drifts_severity_is_known check (severity in ('low', 'medium', 'high', 'critical')),
  constraint drifts_layer_is_known check (layer in ('provider', 'tier', 'customer')),
  constraint drifts_unknown_says_why check ((state = 'unknown') = (unknown_kind is not null)),
  constraint drifts_closed_say_when_and_why check ((state = 'closed') = (closed_at is not null) and (closed_at is null) = (close_reason is null)),
  constraint drifts_close_reason_is_known check (close_reason in ('in_order', 'remediated', 'not_demanded', 'tenant_gone')),
  constraint drifts_denied_say_why check ((denied_at is null) = (denied_reason is null)),
  constraint drifts_denied_reason_is_bounded check (length(trim(denied_reason)) between 1 and 2000)
) with (fillfactor = 80);
create unique index drifts_one_at_a_time on public.drifts (customer_id, cipp_tenant_id, setting) where state <> 'closed';
create index drifts_tenant on public.drifts (customer_id, cipp_tenant_id);
create index drifts_live on public.drifts (severity_rank, id) where state <> 'closed';
create index drifts_customer_live on public.drifts (customer_id, severity_rank, id) where state <> 'closed';
create index drifts_state on public.drifts (state, severity_rank, id) where state <> 'closed';
create index drifts_closed on public.drifts (closed_at desc nulls last, id) where state = 'closed';
create index drifts_customer_closed on public.drifts (customer_id, closed_at desc nulls last, id) where state = 'closed';
create index drifts_exception on public.drifts (customer_id, exception_id);
create index drifts_run on public.drifts (customer_id, run_id);
create index drifts_ticket on public.drifts (customer_id, ticket_id);
create index drifts_baseline on public.drifts (baseline_id);
create index drifts_denied_by on public.drifts (denied_by);
comment on table public.drifts is 'A setting of a tenant is not as demanded, or nothing can be said of it: since when, why, and what was done about it. Owner: security. Retention: 400 days after it closed.';

create table public.drift_evaluations (
  customer_id    uuid not null,
  cipp_tenant_id uuid not null,
  due_at         timestamptz not null,
  attempted_at   timestamptz,
  evaluated_at   timestamptz,
  settings_demanded integer not null default 0,
  in_order       integer not null default 0,
  drifted        integer not null default 0,
  accepted       integer not null default 0,
  unknown        integer not null default 0,
  score_percent  smallint,
  reason         text,
  told_at        timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, cipp_tenant_id),
  foreign key (customer_id, cipp_tenant_id) references public.cipp_tenants (customer_id, id) on delete cascade,
  constraint drift_evaluations_counts_are_counts check (least(settings_demanded, in_order, drifted, accepted, unknown) >= 0),
  constraint drift_evaluations_score_is_a_percentage check (score_percent between 0 and 100)
) with (fillfactor = 80);
create index drift_evaluations_due on public.drift_evaluations (due_at);
comment on table public.drift_evaluations is 'How a tenant stands against its baselines, when that was last worked out from complete facts, and when it is due again. Owner: security. Retention: as long as the tenant.';

create table public.drift_days (
  customer_id    uuid not null,
  cipp_tenant_id uuid not null,
  day            date not null,
  settings_demanded integer not null,
  in_order       integer not null,
  drifted        integer not null,
  accepted       integer not null,
  unknown        integer not null,
  score_percent  smallint,
  primary key (customer_id, cipp_tenant_id, day),
  foreign key (customer_id, cipp_tenant_id) references public.cipp_tenants (customer_id, id) on delete cascade
);
create index drift_days_day on public.drift_days (day);
comment on table public.drift_days is 'How a tenant stood against its baselines at the last evaluation of a day. Owner: security. Retention: 400 days.';
