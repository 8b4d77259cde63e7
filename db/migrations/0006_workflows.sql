-- Workflow definitions and the engine's durable state.
create table public.workflows (
  id          uuid primary key default app.uuid_v7(),
  key         text not null,
  name        text not null,
  description text not null,
  enabled     boolean not null default true,
  created_at  timestamptz not null default now(),
  constraint workflows_key_is_an_identifier check (key ~ '^[a-z][a-z0-9_.-]{1,79}$')
);
create unique index workflows_key_once on public.workflows (key);
comment on table public.workflows is 'A workflow by name; its steps are in its versions. Owner: automation. Retention: until removed.';

create table public.workflow_versions (
  workflow_id uuid not null references public.workflows on delete cascade,
  version     integer not null,
  definition  jsonb not null,
  definition_sha256 text not null,
  created_at  timestamptz not null default now(),
  primary key (workflow_id, version),
  constraint workflow_versions_count_from_one check (version >= 1)
);
create unique index workflow_versions_content_once on public.workflow_versions (workflow_id, definition_sha256);
comment on table public.workflow_versions is 'A frozen definition; a run keeps the version it started with. Owner: automation. Retention: as long as runs refer to it.';

create domain flow.run_state as text constraint run_state_is_known check (value in ('queued', 'running', 'waiting', 'ended', 'verified', 'unverified', 'failed', 'rejected', 'cancelled', 'timed_out'));
create domain flow.step_state as text constraint step_state_is_known check (value in ('pending', 'ready', 'running', 'waiting', 'ended', 'skipped', 'failed', 'rejected', 'cancelled', 'timed_out'));
create type flow.step_ref as (customer_id uuid, run_id uuid, step_id uuid);
create domain flow.change_state as text constraint change_state_is_known check (value in ('planned', 'waiting', 'applied', 'verified', 'unverified', 'failed', 'reverted', 'rejected', 'cancelled', 'unneeded'));

create table flow.runs (
  customer_id      uuid not null references public.customers on delete cascade,
  id               uuid not null default app.uuid_v7(),
  workflow_id      uuid not null,
  workflow_version integer not null,
  title            text not null,
  state            flow.run_state not null default 'queued',
  dry_run          boolean not null default false,
  input            jsonb not null default '{}',
  subject_kind     text,
  subject_id       uuid,
  dedup_key        text,
  started_by       uuid,
  started_reason   text not null default 'manual',
  created_at       timestamptz not null default now(),
  started_at       timestamptz,
  ended_at         timestamptz,
  deadline_at      timestamptz not null,
  stopping         flow.run_state,
  error            jsonb,
  primary key (customer_id, id),
  foreign key (workflow_id, workflow_version) references public.workflow_versions (workflow_id, version),
  constraint runs_over_have_a_time check ((state in ('queued', 'running', 'waiting')) = (ended_at is null))
);
create unique index runs_dedup_key_once on flow.runs (customer_id, dedup_key) where dedup_key is not null;
create index runs_customer_created on flow.runs (customer_id, created_at desc);
create index runs_created on flow.runs (created_at desc);
create index runs_workflow on flow.runs (workflow_id, workflow_version);
create index runs_open on flow.runs (customer_id) where state in ('queued', 'running', 'waiting');
comment on table flow.runs is 'One execution of a workflow version for one customer. No state is called completed: verified means the effect was read back; ended means nothing outside was to change. Owner: automation. Retention: 7 years.';

create table flow.steps (
  customer_id   uuid not null,
  id            uuid not null default app.uuid_v7(),
  run_id        uuid not null,
  workflow_id   uuid not null,
  lane_max      smallint not null,
  key           text not null,
  position      smallint not null,
  kind          text not null,
  title         text not null,
  change_key    text,
  phase         text,
  needs         text[] not null default '{}',
  run_on        text not null default 'success',
  on_failure    text not null default 'fail',
  state         flow.step_state not null default 'pending',
  attempt       smallint not null default 0,
  attempt_at    timestamptz,
  crashes       smallint not null default 0,
  due_at        timestamptz not null default now(),
  lease_owner   uuid,
  lease_until   timestamptz,
  output        jsonb,
  summary       text,
  error         jsonb,
  history       jsonb not null default '[]',
  started_at    timestamptz,
  ended_at      timestamptz,
  primary key (customer_id, id),
  foreign key (customer_id, run_id) references flow.runs (customer_id, id) on delete cascade,
  constraint steps_phase_belongs_to_a_change check ((change_key is null) = (phase is null)),
  constraint steps_run_on_is_known check (run_on in ('success', 'always')),
  constraint steps_on_failure_is_known check (on_failure in ('fail', 'continue')),
  constraint steps_running_have_a_lease check ((state = 'running') = (lease_owner is not null and lease_until is not null))
) with (fillfactor = 70);
create unique index steps_key_once on flow.steps (customer_id, run_id, key);
-- A lane is what one workflow does for one customer: claiming goes from lane to lane, so that nobody waits behind somebody else's backlog.
create index steps_due_by_lane on flow.steps (customer_id, workflow_id, due_at) where state in ('ready', 'waiting');
-- When the next step is due. Only a query that says `due_at > '-infinity'` can use it: claiming must go by lanes, and a plan made
-- while the table was empty would otherwise sort the whole backlog for each of them.
create index steps_due on flow.steps (due_at) where state in ('ready', 'waiting') and due_at > '-infinity';
-- Few rows at any moment: what runs now, over all workers.
create index steps_running_by_lane on flow.steps (customer_id, workflow_id, lease_until) where state = 'running';
comment on table flow.steps is 'One step of a run: its state, attempts, lease, result. Owner: automation. Retention: 7 years.';

create table flow.changes (
  customer_id     uuid not null,
  id              uuid not null default app.uuid_v7(),
  run_id          uuid not null,
  key             text not null,
  state           flow.change_state not null default 'planned',
  target_kind     text not null,
  target_id       uuid,
  title           text not null,
  idempotency_key text not null,
  before          jsonb,
  plan            jsonb,
  guard           jsonb,
  act_started_at  timestamptz,
  receipt         jsonb,
  after           jsonb,
  verdict         text,
  undo            text not null default 'none',
  created_at      timestamptz not null default now(),
  applied_at      timestamptz,
  verified_at     timestamptz,
  primary key (customer_id, id),
  foreign key (customer_id, run_id) references flow.runs (customer_id, id) on delete cascade,
  constraint changes_verified_has_a_reading check (state <> 'verified' or (after is not null and verified_at is not null)),
  constraint changes_applied_has_a_time check (state not in ('applied', 'verified', 'unverified', 'reverted') or applied_at is not null)
);
create unique index changes_key_once on flow.changes (customer_id, run_id, key);
create unique index changes_idempotency_key_once on flow.changes (customer_id, idempotency_key);
create index changes_target on flow.changes (customer_id, target_id, created_at desc);
comment on table flow.changes is 'A change to the outside world: before, plan, guard, receipt, after, verdict. Owner: automation. Retention: 7 years.';

create table flow.approvals (
  customer_id  uuid not null,
  id           uuid not null default app.uuid_v7(),
  run_id       uuid not null,
  step_id      uuid not null,
  title        text not null,
  policy       text not null,
  plan         jsonb,
  state        text not null default 'waiting',
  requested_at timestamptz not null default now(),
  requested_by uuid,
  expires_at   timestamptz not null,
  decided_by   uuid,
  decided_at   timestamptz,
  reason       text,
  primary key (customer_id, id),
  foreign key (customer_id, run_id) references flow.runs (customer_id, id) on delete cascade,
  foreign key (customer_id, step_id) references flow.steps (customer_id, id) on delete cascade,
  constraint approvals_state_is_known check (state in ('waiting', 'approved', 'rejected', 'expired', 'cancelled')),
  constraint approvals_decided_has_who_and_when check (state not in ('approved', 'rejected') or (decided_by is not null and decided_at is not null))
);
create index approvals_run on flow.approvals (customer_id, run_id);
create unique index approvals_step_once on flow.approvals (customer_id, step_id);
create index approvals_waiting on flow.approvals (customer_id, requested_at) where state = 'waiting';
comment on table flow.approvals is 'A decision that a run waits for: what is planned, who decided, when and why. Owner: automation. Retention: 7 years.';

create table public.evidence (
  customer_id uuid not null,
  id          uuid not null default app.uuid_v7(),
  run_id      uuid not null,
  outcome     text not null,
  bundle      text not null,
  bundle_sha256 text not null,
  key_id      text not null references vault.keys,
  entries     integer not null,
  created_at  timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, run_id) references flow.runs (customer_id, id),
  constraint evidence_outcome_is_known check (outcome in ('verified', 'unverified', 'failed', 'rejected', 'cancelled', 'timed_out', 'ended')),
  constraint evidence_has_entries check (entries >= 1)
);
create unique index evidence_run_once on public.evidence (customer_id, run_id);
create index evidence_key on public.evidence (key_id);
comment on table public.evidence is 'The signed record of a run: JSON lines and a manifest, checkable offline. Owner: compliance. Retention: 7 years.';
