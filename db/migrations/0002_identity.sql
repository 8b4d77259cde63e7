-- People who sign in, their sessions, and what their roles may do.
create table auth.users (
  id            uuid primary key default app.uuid_v7(),
  email         text not null,
  password_hash text,
  kind          text not null,
  display_name  text not null,
  created_at    timestamptz not null default now(),
  last_sign_in_at timestamptz,
  disabled_at   timestamptz,
  constraint users_kind_is_staff_or_portal check (kind in ('staff', 'portal')),
  constraint users_email_is_lower_case check (email = lower(email) and email like '%_@_%')
);
create unique index users_email_once on auth.users (email);
comment on table auth.users is 'One person who can sign in. Owner: identity. Retention: until removed, then 90 days.';

create table auth.sessions (
  id          uuid primary key default app.uuid_v7(),
  user_id     uuid not null references auth.users on delete cascade,
  created_at  timestamptz not null default now(),
  refreshed_at timestamptz not null default now(),
  expires_at  timestamptz not null,
  ended_at    timestamptz,
  end_reason  text,
  address     inet,
  user_agent  text,
  constraint sessions_ended_has_a_reason check ((ended_at is null) = (end_reason is null))
);
create index sessions_user on auth.sessions (user_id);
comment on table auth.sessions is 'One sign-in of a person on a device; ends by sign-out, expiry, reuse of a refresh token, or an administrator. Owner: identity. Retention: 1 year.';

create table auth.refresh_tokens (
  token_hash  bytea primary key,
  session_id  uuid not null references auth.sessions on delete cascade,
  issued_at   timestamptz not null default now(),
  used_at     timestamptz,
  replaced_by bytea,
  successor_seed bytea,
  constraint refresh_tokens_used_has_a_successor check ((used_at is null) = (replaced_by is null) and (used_at is null) = (successor_seed is null))
);
create index refresh_tokens_session on auth.refresh_tokens (session_id);
comment on table auth.refresh_tokens is 'SHA-256 of refresh tokens; each works once. Owner: identity. Retention: as long as the session.';

create table auth.sign_in_attempts (
  id       uuid primary key default app.uuid_v7(),
  email    text not null,
  address  inet,
  at       timestamptz not null default now(),
  outcome  text not null,
  constraint sign_in_attempts_outcome_is_known check (outcome in ('ok', 'wrong', 'limited', 'disabled'))
);
create index sign_in_attempts_email_at on auth.sign_in_attempts (email, at desc);
create index sign_in_attempts_address_at on auth.sign_in_attempts (address, at desc);
comment on table auth.sign_in_attempts is 'Every attempt to sign in, for the limits per account and address and for review. Owner: identity. Retention: 90 days.';

create table public.permissions (
  permission  text primary key,
  description text not null,
  constraint permissions_are_noun_and_verb check (permission ~ '^[a-z_]+:[a-z_]+$')
);
comment on table public.permissions is 'The closed list of permissions that policies and functions ask for. Owner: identity. Retention: with the release.';

create table public.roles (
  role        text primary key,
  audience    text not null,
  description text not null,
  constraint roles_audience_is_staff_or_portal check (audience in ('staff', 'portal'))
);
comment on table public.roles is 'Named sets of permissions. Owner: identity. Retention: with the release.';

create table public.role_permissions (
  role       text not null references public.roles on delete cascade,
  permission text not null references public.permissions,
  primary key (role, permission)
);
create index role_permissions_permission on public.role_permissions (permission);
comment on table public.role_permissions is 'Which role holds which permission. Owner: identity. Retention: with the release.';

create table public.staff_members (
  user_id    uuid primary key references auth.users on delete cascade,
  role       text not null references public.roles,
  granted_at timestamptz not null default now()
);
create index staff_members_role on public.staff_members (role);
comment on table public.staff_members is 'The provider''s people with reach over all customers, and their role. Owner: identity. Retention: as long as the person.';
