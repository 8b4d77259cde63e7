-- People who signed in at a vendor, so that automations act as them where the vendor lets only people act.
create table public.integration_sign_ins (
  id             uuid primary key default app.uuid_v7(),
  integration_id uuid not null references public.integrations on delete cascade,
  person_id      uuid references auth.users on delete set null,
  credential_id  uuid not null references vault.credentials,
  state_sha256   bytea not null,
  started_at     timestamptz not null,
  expires_at     timestamptz not null,
  finished_at    timestamptz,
  failed_at      timestamptz,
  problem        text,
  ended_at       timestamptz,
  constraint integration_sign_ins_failed_say_why check ((failed_at is null) = (problem is null)),
  constraint integration_sign_ins_problem_is_bounded check (length(problem) between 1 and 500),
  constraint integration_sign_ins_failed_were_finished check (failed_at is null or finished_at is not null)
);
create unique index integration_sign_ins_begun_once on public.integration_sign_ins (integration_id) where finished_at is null and ended_at is null;
create unique index integration_sign_ins_used_once on public.integration_sign_ins (integration_id) where finished_at is not null and ended_at is null;
create index integration_sign_ins_integration on public.integration_sign_ins (integration_id, started_at desc);
create unique index integration_sign_ins_state on public.integration_sign_ins (state_sha256);
create index integration_sign_ins_credential on public.integration_sign_ins (credential_id);
create index integration_sign_ins_person on public.integration_sign_ins (person_id);
comment on table public.integration_sign_ins is 'Who signed in at a vendor so that automations act as them, and whether the vendor still takes it. One is begun, one is used, others are over. Owner: platform. Retention: as long as the integration.';
