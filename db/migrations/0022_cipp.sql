-- CIPP as the fourth vendor: its word on each tenant and on each setting, how settings changed, and what of a connection ends when.
alter table public.integrations
  drop constraint integrations_vendor_is_known,
  add constraint integrations_vendor_is_known check (vendor in ('ninjaone', 'revio', 'microsoft', 'cipp', 'sharepoint'));

create table public.cipp_tenants (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  name           text not null,
  default_domain text,
  initial_domain text,
  is_excluded    boolean not null default false,
  graph_error_count integer not null default 0,
  last_graph_error text,
  requires_refresh boolean not null default false,
  access_kind    text,
  access_ends_at timestamptz,
  access_renews  boolean,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  constraint cipp_tenants_errors_are_a_count check (graph_error_count >= 0)
);
create unique index cipp_tenants_external_once on public.cipp_tenants (customer_id, integration_id, external_id);
create index cipp_tenants_integration on public.cipp_tenants (integration_id, external_id);
create index cipp_tenants_name on public.cipp_tenants (name, id);
create index cipp_tenants_customer_name on public.cipp_tenants (customer_id, name, id);
comment on table public.cipp_tenants is 'A tenant as CIPP last reported it: whether its reads work, and until when the provider has access. Owner: estate. Retention: 1 year after it vanished.';

create table public.cipp_tenant_parts (
  customer_id    uuid not null,
  cipp_tenant_id uuid not null,
  part           text not null,
  state          text not null,
  reason         text,
  permission     text,
  observed_at    timestamptz,
  attempted_at   timestamptz not null,
  row_count      integer not null default 0,
  sync_run_id    uuid,
  primary key (customer_id, cipp_tenant_id, part),
  foreign key (customer_id, cipp_tenant_id) references public.cipp_tenants (customer_id, id) on delete cascade,
  constraint cipp_tenant_parts_part_is_known check (part in ('settings', 'alignment', 'alerts')),
  constraint cipp_tenant_parts_state_is_known check (state in ('complete', 'partial', 'denied', 'failed')),
  constraint cipp_tenant_parts_faults_say_why check ((state = 'complete') = (reason is null)),
  constraint cipp_tenant_parts_count_is_a_count check (row_count >= 0)
);
comment on table public.cipp_tenant_parts is 'How far each kind of fact of a tenant was read through CIPP last, when it was whole, and which right is missing. Owner: estate. Retention: as long as the tenant.';

create table public.tenant_settings (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  cipp_tenant_id uuid not null,
  setting        text not null,
  value          jsonb not null,
  expected       jsonb,
  raw            jsonb not null,
  content_hash   bytea not null,
  changed_at     timestamptz not null,
  refreshed_at   timestamptz,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, cipp_tenant_id) references public.cipp_tenants (customer_id, id) on delete cascade,
  constraint tenant_settings_setting_is_not_empty check (length(setting) between 1 and 200)
) with (fillfactor = 80);
create unique index tenant_settings_once on public.tenant_settings (customer_id, cipp_tenant_id, setting);
create index tenant_settings_setting on public.tenant_settings (setting, id);
comment on table public.tenant_settings is 'What a tenant has set for one standard, as CIPP last read it (refreshed_at: when CIPP itself last looked), with what a template there wants. Owner: security. Retention: 400 days after it vanished.';

create table public.tenant_setting_changes (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  cipp_tenant_id uuid not null,
  setting        text not null,
  before         jsonb not null,
  after          jsonb not null,
  seen_at        timestamptz not null,
  primary key (customer_id, id),
  foreign key (customer_id, cipp_tenant_id) references public.cipp_tenants (customer_id, id) on delete cascade
);
create index tenant_setting_changes_setting on public.tenant_setting_changes (customer_id, cipp_tenant_id, setting, seen_at desc);
comment on table public.tenant_setting_changes is 'A setting of a tenant had another value than at the reading before: what it was, what it is, when that was seen. Owner: security. Retention: 400 days.';

create table public.integration_expiries (
  integration_id uuid not null references public.integrations on delete cascade,
  kind           text not null,
  external_id    text not null,
  customer_id    uuid references public.customers on delete set null,
  subject        text not null,
  ends_at        timestamptz not null,
  renews         boolean,
  source         text not null,
  observed_at    timestamptz not null,
  last_proved_at timestamptz,
  told_days      smallint,
  told_ends_at   timestamptz,
  primary key (integration_id, kind, external_id),
  constraint integration_expiries_kind_is_known check (kind in ('gdap', 'consent', 'secret', 'token')),
  constraint integration_expiries_told_has_an_end check ((told_days is null) = (told_ends_at is null))
);
create index integration_expiries_customer on public.integration_expiries (customer_id);
create index integration_expiries_ends on public.integration_expiries (ends_at, integration_id, kind, external_id);
comment on table public.integration_expiries is 'What a connection needs that ends by itself: access to a tenant, a consent, a secret, and whether people were told. Owner: platform. Retention: until it is gone at the vendor.';
