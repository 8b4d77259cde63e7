-- Connections to vendors: sealed credentials, organization mapping, synchronization runs, webhook deliveries.
create table vault.credentials (
  id         uuid primary key default app.uuid_v7(),
  purpose    text not null,
  sealed     bytea not null,
  key_id     text not null,
  created_at timestamptz not null default now(),
  rotated_at timestamptz,
  constraint credentials_are_sealed check (length(sealed) >= 40)
);
comment on table vault.credentials is 'A vendor''s credentials, sealed by a key outside the database. Owner: security. Retention: until rotated.';

create table vault.keys (
  id         text primary key,
  purpose    text not null,
  sealed     bytea not null,
  public_key text not null,
  created_at timestamptz not null default now(),
  retired_at timestamptz,
  constraint keys_purpose_is_known check (purpose in ('token', 'evidence'))
);
create index keys_purpose on vault.keys (purpose, created_at desc);
comment on table vault.keys is 'Signing keys (tokens: ES256, evidence: Ed25519); the private half is sealed. Owner: security. Retention: forever, for old evidence.';

create table public.integrations (
  id            uuid primary key default app.uuid_v7(),
  vendor        text not null,
  name          text not null,
  base_url      text not null,
  credential_id uuid references vault.credentials,
  webhook_secret_sha256 bytea,
  webhook_registered_at timestamptz,
  sync_interval_s integer not null default 900,
  full_sync_interval_s integer not null default 86400,
  activity_cursor bigint,
  enabled       boolean not null default true,
  created_at    timestamptz not null default now(),
  constraint integrations_vendor_is_known check (vendor in ('ninjaone')),
  constraint integrations_url_is_http check (base_url ~ '^https?://'),
  constraint integrations_interval_is_sane check (sync_interval_s between 30 and 604800 and full_sync_interval_s between 300 and 2592000)
);
create unique index integrations_name_once on public.integrations (name);
create index integrations_credential on public.integrations (credential_id);
comment on table public.integrations is 'One connection to a vendor''s API. Owner: platform. Retention: until removed.';

alter table public.sites add constraint sites_come_from_an_integration
  foreign key (integration_id) references public.integrations on delete set null;
create index sites_integration on public.sites (integration_id);

create table public.integration_organizations (
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  name           text not null,
  customer_id    uuid references public.customers on delete set null,
  devices_seen   integer not null default 0,
  mapped_by      uuid references auth.users on delete set null,
  mapped_at      timestamptz,
  observed_at    timestamptz not null,
  missing_since  timestamptz,
  primary key (integration_id, external_id),
  constraint organizations_seen_is_a_count check (devices_seen >= 0),
  constraint organizations_mapped_has_a_time check ((customer_id is null) = (mapped_at is null))
);
create index integration_organizations_customer on public.integration_organizations (customer_id);
create index integration_organizations_mapped_by on public.integration_organizations (mapped_by);
comment on table public.integration_organizations is 'A vendor''s organization and the customer it is; without a customer it is shown as unmapped and its rows are kept out. Owner: platform. Retention: until removed.';

create domain public.sync_state as text constraint sync_state_is_known check (value in ('queued', 'running', 'complete', 'partial', 'suspect', 'failed', 'cancelled'));

create table public.sync_runs (
  id             uuid primary key default app.uuid_v7(),
  integration_id uuid not null references public.integrations on delete cascade,
  kind           text not null,
  state          public.sync_state not null default 'queued',
  requested_by   uuid references auth.users on delete set null,
  reason         text not null default 'schedule',
  queued_at      timestamptz not null default now(),
  started_at     timestamptz,
  ended_at       timestamptz,
  lease_owner    uuid,
  lease_until    timestamptz,
  resumed_count  integer not null default 0,
  error          jsonb,
  constraint sync_runs_kind_is_known check (kind in ('full', 'incremental'))
);
create unique index sync_runs_one_open_per_integration on public.sync_runs (integration_id) where state in ('queued', 'running');
create index sync_runs_integration_queued on public.sync_runs (integration_id, queued_at desc);
create index sync_runs_requested_by on public.sync_runs (requested_by);
comment on table public.sync_runs is 'One synchronization with a vendor. Owner: platform. Retention: 90 days.';

create table public.sync_parts (
  sync_run_id  uuid not null references public.sync_runs on delete cascade,
  part         text not null,
  position     smallint not null,
  state        public.sync_state not null default 'queued',
  cursor       text,
  memory       jsonb,
  pages_read   integer not null default 0,
  rows_read    integer not null default 0,
  rows_created integer not null default 0,
  rows_updated integer not null default 0,
  rows_unchanged integer not null default 0,
  rows_removed integer not null default 0,
  rows_unmapped integer not null default 0,
  rows_before  integer,
  reads        smallint not null default 1,
  started_at   timestamptz,
  ended_at     timestamptz,
  error        jsonb,
  primary key (sync_run_id, part),
  constraint sync_parts_counts_are_counts check (least(pages_read, rows_read, rows_created, rows_updated, rows_unchanged, rows_removed, rows_unmapped) >= 0)
);
comment on table public.sync_parts is 'One part (endpoint family) of a synchronization: what was read, how far, and whether it was complete. Owner: platform. Retention: 90 days.';

create table public.webhook_deliveries (
  integration_id uuid not null references public.integrations on delete cascade,
  id             uuid not null default app.uuid_v7(),
  external_id    text not null,
  body_sha256    bytea not null,
  received_at    timestamptz not null default now(),
  handled_at     timestamptz,
  outcome        text,
  deliveries     integer not null default 1,
  primary key (integration_id, id)
);
create unique index webhook_deliveries_once on public.webhook_deliveries (integration_id, external_id);
comment on table public.webhook_deliveries is 'Every accepted webhook delivery, once per vendor activity. Owner: platform. Retention: 30 days.';
