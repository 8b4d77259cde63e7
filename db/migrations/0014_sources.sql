-- A fall that two complete readings confirmed may be accepted by a person: the run that follows asks for every unlisted row by its own id.
alter table public.sync_runs
  add column accepted_run_id uuid references public.sync_runs on delete set null,
  add column accepted_by     uuid references auth.users on delete set null,
  add column accepted_at     timestamptz,
  add column accepted_reason text,
  add constraint sync_runs_acceptance_has_time_and_reason check ((accepted_at is null) = (accepted_reason is null)),
  add constraint sync_runs_acceptance_reason_is_bounded check (length(trim(accepted_reason)) between 1 and 2000);
create index sync_runs_accepted_run on public.sync_runs (accepted_run_id);
create index sync_runs_accepted_by on public.sync_runs (accepted_by);

-- Rows that a complete list lacked: how many there were to ask for one by one, and how many were asked for.
alter table public.sync_parts
  add column rows_to_ask integer,
  add column rows_asked  integer not null default 0,
  add constraint sync_parts_asked_are_of_those_to_ask check (rows_asked between 0 and coalesce(rows_to_ask, 0));

-- Credentials that cannot be opened, or that the vendor refuses: since when they fail, with what last, and when people were told of it.
alter table public.integrations
  add column credentials_failed_at timestamptz,
  add column credentials_problem   text,
  add column credentials_told_at   timestamptz,
  add constraint integrations_failed_credentials_say_why check (credentials_failed_at is null or credentials_problem is not null),
  add constraint integrations_problem_is_bounded check (length(credentials_problem) between 1 and 500);

-- The hour a device was last seen in (UTC), to find old facts by an index: within one hour, marking a device as seen again stays a cheap update.
alter table public.devices
  add column observed_hour timestamptz generated always as (date_trunc('hour', observed_at at time zone 'UTC') at time zone 'UTC') stored;
create index devices_observed on public.devices (customer_id, observed_hour) where missing_since is null;
create index devices_incomplete on public.devices (customer_id) where missing_since is null and not is_complete;
-- The new one counts as well.
drop index public.devices_present;
create index alerts_open on public.alerts (customer_id) where state <> 'resolved';
