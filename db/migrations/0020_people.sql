-- Who works at a customer and what they may use: Microsoft 365 tenants, their accounts, licenses and access policies; seats beside devices in count rules.
alter table public.integrations
  drop constraint integrations_vendor_is_known,
  add constraint integrations_vendor_is_known check (vendor in ('ninjaone', 'revio', 'microsoft'));

-- The vendor's own domain of an organization: a better hint than its name when people map.
alter table public.integration_organizations add column domain text;

create table public.tenants (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  name           text not null,
  default_domain text,
  initial_domain text,
  domains        text[] not null default '{}',
  country        text,
  has_premium    boolean,
  security_defaults boolean,
  content_hash   bytea,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id)
);
create unique index tenants_external_once on public.tenants (customer_id, integration_id, external_id);
create index tenants_integration on public.tenants (integration_id, external_id);
comment on table public.tenants is 'A Microsoft 365 tenant of a customer, as it was last read. Owner: estate. Retention: 1 year after it vanished.';

create table public.tenant_parts (
  customer_id    uuid not null,
  tenant_id      uuid not null,
  part           text not null,
  state          text not null,
  reason         text,
  permission     text,
  observed_at    timestamptz,
  attempted_at   timestamptz not null,
  row_count      integer not null default 0,
  sync_run_id    uuid,
  primary key (customer_id, tenant_id, part),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade,
  constraint tenant_parts_part_is_known check (part in ('organization', 'seats', 'people', 'sign_ins', 'registrations', 'mfa_states', 'policies', 'roles')),
  constraint tenant_parts_state_is_known check (state in ('complete', 'partial', 'denied', 'failed')),
  constraint tenant_parts_faults_say_why check ((state = 'complete') = (reason is null)),
  constraint tenant_parts_count_is_a_count check (row_count >= 0)
);
comment on table public.tenant_parts is 'How far each kind of fact of a tenant was read last, when it was whole, and which permission is missing. Owner: estate. Retention: as long as the tenant.';

create table public.tenant_people (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  tenant_id      uuid not null,
  external_id    text not null,
  user_principal_name text not null,
  display_name   text not null,
  mail           text,
  user_type      text not null,
  account_enabled boolean not null,
  disabled_seen_at timestamptz,
  created_in_vendor_at timestamptz,
  last_sign_in_at timestamptz,
  department     text,
  job_title      text,
  is_synced      boolean not null default false,
  is_admin       boolean not null default false,
  roles          text[] not null default '{}',
  sku_ids        uuid[] not null default '{}',
  methods        text[],
  mfa_registered boolean,
  per_user_mfa   text,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  -- Somebody who cannot sign in and still holds something that costs or that is a power.
  is_leaver      boolean not null generated always as (not account_enabled and missing_since is null and (sku_ids <> '{}' or roles <> '{}')) stored,
  primary key (customer_id, id),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade,
  constraint tenant_people_type_is_known check (user_type in ('member', 'guest')),
  constraint tenant_people_per_user_mfa_is_known check (per_user_mfa in ('disabled', 'enabled', 'enforced', 'unknown'))
) with (fillfactor = 70);
create unique index tenant_people_external_once on public.tenant_people (customer_id, tenant_id, external_id);
create index tenant_people_customer_name on public.tenant_people (customer_id, display_name, id);
create index tenant_people_name on public.tenant_people (display_name, id);
create index tenant_people_upn on public.tenant_people (user_principal_name, id);
-- For counting; observed_at stays out of every index, so that marking an account as seen again is a cheap update.
create index tenant_people_present on public.tenant_people (customer_id) where missing_since is null;
create index tenant_people_disabled on public.tenant_people (customer_id, tenant_id) where missing_since is null and not account_enabled;
create index tenant_people_leavers on public.tenant_people (display_name, id) where is_leaver;
create index tenant_people_customer_leavers on public.tenant_people (customer_id, display_name, id) where is_leaver;
comment on table public.tenant_people is 'An account of a tenant as Microsoft last reported it, with when it was seen and whether that read was complete. Owner: estate. Retention: 400 days after it vanished.';

create table public.license_skus (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  tenant_id      uuid not null,
  sku_id         uuid not null,
  part_number    text not null,
  name           text not null,
  purchased      integer not null,
  suspended      integer not null,
  warning        integer not null,
  assigned       integer not null,
  status         text not null,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade,
  constraint license_skus_counts_are_counts check (least(purchased, suspended, warning, assigned) >= 0)
);
create unique index license_skus_once on public.license_skus (customer_id, tenant_id, sku_id);
create index license_skus_name on public.license_skus (name, id);
create index license_skus_customer_name on public.license_skus (customer_id, name, id);
comment on table public.license_skus is 'What a tenant has bought of one license, as Microsoft last reported it. Owner: estate. Retention: 400 days after it vanished.';

create table public.person_licenses (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  person_id      uuid not null,
  sku_id         uuid not null,
  assigned_at    timestamptz,
  by_group       boolean not null,
  error          text,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, person_id) references public.tenant_people (customer_id, id) on delete cascade
);
create unique index person_licenses_once on public.person_licenses (customer_id, person_id, sku_id);
create index person_licenses_sku on public.person_licenses (customer_id, sku_id);
comment on table public.person_licenses is 'A license that an account holds or held: since when, by a group, until when. Owner: estate. Retention: 400 days after it was taken away.';

create table public.access_policies (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  tenant_id      uuid not null,
  external_id    text not null,
  name           text not null,
  state          text not null,
  modified_at    timestamptz,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade
);
create unique index access_policies_external_once on public.access_policies (customer_id, tenant_id, external_id);
comment on table public.access_policies is 'A conditional access policy of a tenant, word for word. Owner: security. Retention: 400 days after it vanished.';

create table public.access_facts (
  customer_id    uuid not null,
  tenant_id      uuid not null,
  kind           text not null,
  facts          jsonb not null,
  observed_at    timestamptz not null,
  primary key (customer_id, tenant_id, kind),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade,
  constraint access_facts_kind_is_known check (kind in ('named_locations', 'roles', 'groups'))
);
comment on table public.access_facts is 'What access policies refer to: named locations, who holds which role, who is in which group. Owner: security. Retention: as long as the tenant.';

-- A product stands for devices, or for seats of some licenses.
alter table public.count_rules
  add column counts     text not null default 'devices',
  add column sku_ids    uuid[] not null default '{}',
  add column seat_basis text,
  alter column device_classes set default '{}',
  drop constraint count_rules_classes_are_known,
  add constraint count_rules_classes_are_known check (device_classes <@ array['workstation', 'server', 'virtual_machine', 'network', 'mobile', 'other']),
  add constraint count_rules_counts_is_known check (counts in ('devices', 'seats')),
  add constraint count_rules_basis_is_known check (seat_basis in ('assigned', 'purchased', 'enabled')),
  add constraint count_rules_say_what_they_count check (case counts
    when 'devices' then cardinality(device_classes) >= 1 and sku_ids = '{}' and seat_basis is null
    else device_classes = '{}' and cardinality(sku_ids) >= 1 and seat_basis is not null end);
comment on table public.count_rules is 'Which devices or seats a product of the billing system stands for, and how many of it each. Owner: finance. Retention: until removed.';
