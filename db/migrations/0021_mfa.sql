-- Whether each account is asked for a second factor wherever it signs in, why (not), and the gaps that a person accepted for a time.
create table public.mfa_results (
  customer_id    uuid not null,
  person_id      uuid not null,
  tenant_id      uuid not null,
  outcome        text not null,
  is_admin       boolean not null,
  reason_kind    text not null,
  reason_text    text not null,
  chain          jsonb not null,
  missing        text[] not null default '{}',
  fix            text,
  legacy_open    boolean not null default false,
  since          timestamptz not null,
  evaluated_at   timestamptz not null,
  observed_at    timestamptz not null,
  primary key (customer_id, person_id),
  foreign key (customer_id, person_id) references public.tenant_people (customer_id, id) on delete cascade,
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade,
  constraint mfa_results_outcome_is_known check (outcome in ('protected', 'exempt', 'gap', 'unknown'))
);
create index mfa_results_tenant on public.mfa_results (customer_id, tenant_id, outcome);
create index mfa_results_outcome on public.mfa_results (outcome);
comment on table public.mfa_results is 'Whether an account is asked for a second factor wherever it signs in, worked out from what was read of its tenant, with every reason. Owner: security. Retention: as long as the account.';

create table public.mfa_exceptions (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  person_id      uuid not null,
  reason         text not null,
  until          timestamptz not null,
  created_by     uuid references auth.users on delete set null,
  created_at     timestamptz not null default now(),
  ended_at       timestamptz,
  ended_by       uuid references auth.users on delete set null,
  primary key (customer_id, id),
  foreign key (customer_id, person_id) references public.tenant_people (customer_id, id) on delete cascade,
  constraint mfa_exceptions_reason_is_bounded check (length(trim(reason)) between 1 and 2000),
  constraint mfa_exceptions_last_a_year_at_most check (until > created_at and until <= created_at + interval '366 days')
);
create unique index mfa_exceptions_one_in_force on public.mfa_exceptions (customer_id, person_id) where ended_at is null;
create index mfa_exceptions_person on public.mfa_exceptions (customer_id, person_id);
create index mfa_exceptions_until on public.mfa_exceptions (until) where ended_at is null;
create index mfa_exceptions_created_by on public.mfa_exceptions (created_by);
create index mfa_exceptions_ended_by on public.mfa_exceptions (ended_by);
comment on table public.mfa_exceptions is 'A gap that a person accepted, with a reason, for a time. Owner: security. Retention: 7 years after it ended.';
