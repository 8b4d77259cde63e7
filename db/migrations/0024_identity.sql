-- One estate: devices that are enrolled in Intune, machines that records of several sources are of, and what people decided about that.
alter table public.tenant_parts
  drop constraint tenant_parts_part_is_known,
  add constraint tenant_parts_part_is_known
    check (part in ('organization', 'seats', 'people', 'sign_ins', 'registrations', 'mfa_states', 'policies', 'roles', 'managed_devices'));

-- The person of a device is found by their sign-in name, in any case.
create index tenant_people_customer_upn on public.tenant_people (customer_id, lower(user_principal_name));

create table public.managed_devices (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  tenant_id      uuid not null,
  external_id    text not null,
  name           text,
  serial_number  text,
  entra_device_id uuid,
  os_name        text,
  os_version     text,
  compliance     text,
  is_encrypted   boolean,
  owner_kind     text,
  user_principal_name text,
  manufacturer   text,
  model          text,
  last_sync_at   timestamptz,
  enrolled_at    timestamptz,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade
) with (fillfactor = 70);
create unique index managed_devices_external_once on public.managed_devices (customer_id, tenant_id, external_id);
-- For counting; observed_at stays out of every index, so that marking a device as seen again is a cheap update.
create index managed_devices_present on public.managed_devices (customer_id) where missing_since is null;
comment on table public.managed_devices is 'A device that is enrolled in Intune as Microsoft last reported it, with when it was seen and whether that read was complete. Owner: estate. Retention: 1 year after it vanished.';

create table public.endpoints (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  name           text not null,
  class          text not null,
  os_name        text,
  serial_number  text,
  sources        text[] not null,
  coverage       text not null,
  confidence     text,
  site_id        uuid,
  person_id      uuid,
  open_conflicts integer not null default 0,
  -- To the day, so that a reading that says nothing new writes nothing.
  last_seen_on   date,
  changed_at     timestamptz not null,
  ended_at       timestamptz,
  merged_into    uuid,
  created_at     timestamptz not null,
  primary key (customer_id, id),
  foreign key (customer_id, site_id) references public.sites (customer_id, id) on delete set null (site_id),
  foreign key (customer_id, person_id) references public.tenant_people (customer_id, id) on delete set null (person_id),
  foreign key (customer_id, merged_into) references public.endpoints (customer_id, id) on delete set null (merged_into),
  constraint endpoints_class_is_known check (class in ('workstation', 'server', 'virtual_machine', 'network', 'mobile', 'other')),
  constraint endpoints_coverage_is_known check (coverage in ('covered', 'rmm_only', 'mdm_only', 'stale')),
  constraint endpoints_confidence_is_known check (confidence in ('certain', 'strong')),
  constraint endpoints_conflicts_are_counted check (open_conflicts >= 0),
  constraint endpoints_merged_ones_ended check (merged_into is null or ended_at is not null)
);
create index endpoints_name on public.endpoints (name, id) where ended_at is null;
create index endpoints_customer_name on public.endpoints (customer_id, name, id) where ended_at is null;
create index endpoints_coverage on public.endpoints (coverage, name, id) where ended_at is null;
create index endpoints_customer_coverage on public.endpoints (customer_id, coverage, name) where ended_at is null;
create index endpoints_to_decide on public.endpoints (name, id) where ended_at is null and open_conflicts > 0;
create index endpoints_site on public.endpoints (customer_id, site_id);
create index endpoints_person on public.endpoints (customer_id, person_id);
create index endpoints_merged on public.endpoints (customer_id, merged_into);
comment on table public.endpoints is 'One machine of a customer, whatever sources know it. It keeps its id while its records come and go. Owner: estate. Retention: 1 year after it ended.';

create table public.endpoint_decisions (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  verdict        text not null,
  records        uuid[] not null,
  -- What each record said when it was decided: a later contradiction is seen against it.
  facts          jsonb not null,
  reason         text not null,
  created_by     uuid references auth.users on delete set null,
  created_at     timestamptz not null,
  ended_at       timestamptz,
  ended_by       uuid references auth.users on delete set null,
  end_reason     text,
  primary key (customer_id, id),
  constraint endpoint_decisions_verdict_is_known check (verdict in ('together', 'apart')),
  constraint endpoint_decisions_are_about_two_at_least check (cardinality(records) between 2 and 50),
  constraint endpoint_decisions_reason_is_bounded check (length(trim(reason)) between 1 and 2000),
  constraint endpoint_decisions_end_reason_is_bounded check (length(trim(end_reason)) between 1 and 2000)
);
create index endpoint_decisions_in_force on public.endpoint_decisions (customer_id, created_at) where ended_at is null;
create index endpoint_decisions_records on public.endpoint_decisions using gin (records);
create index endpoint_decisions_created_by on public.endpoint_decisions (created_by);
create index endpoint_decisions_ended_by on public.endpoint_decisions (ended_by);
comment on table public.endpoint_decisions is 'What a person decided about records: they are one machine, or they are not; with a reason, until it is taken back. Owner: estate. Retention: 7 years after it ended.';

create table public.endpoint_records (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  endpoint_id    uuid not null,
  source         text not null,
  device_id      uuid,
  managed_device_id uuid,
  link_kind      text,
  confidence     text,
  evidence       jsonb not null default '[]',
  decided_by     text not null,
  decision_id    uuid,
  since          timestamptz not null,
  ended_at       timestamptz,
  primary key (customer_id, id),
  foreign key (customer_id, endpoint_id) references public.endpoints (customer_id, id) on delete cascade,
  foreign key (customer_id, device_id) references public.devices (customer_id, id) on delete cascade,
  foreign key (customer_id, managed_device_id) references public.managed_devices (customer_id, id) on delete cascade,
  foreign key (customer_id, decision_id) references public.endpoint_decisions (customer_id, id) on delete set null (decision_id),
  constraint endpoint_records_source_has_its_record check (case source when 'ninjaone' then device_id is not null and managed_device_id is null
    when 'intune' then managed_device_id is not null and device_id is null else false end),
  constraint endpoint_records_link_is_known check (link_kind in ('serial', 'name', 'entra_id', 'reenrolled', 'kept', 'decision')),
  constraint endpoint_records_confidence_is_known check (confidence in ('certain', 'strong')),
  constraint endpoint_records_links_are_rated check ((link_kind is null) = (confidence is null)),
  constraint endpoint_records_decider_is_known check (decided_by in ('rule', 'person'))
);
create index endpoint_records_endpoint on public.endpoint_records (customer_id, endpoint_id, since);
create unique index endpoint_records_device_once on public.endpoint_records (customer_id, device_id) where ended_at is null;
create unique index endpoint_records_managed_once on public.endpoint_records (customer_id, managed_device_id) where ended_at is null;
create index endpoint_records_device on public.endpoint_records (customer_id, device_id);
create index endpoint_records_managed on public.endpoint_records (customer_id, managed_device_id);
create index endpoint_records_decision on public.endpoint_records (customer_id, decision_id);
comment on table public.endpoint_records is 'Which record of which source is of which machine, by what and how surely, since when and until when. Owner: estate. Retention: as long as the machine.';

create table public.endpoint_conflicts (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  kind           text not null,
  records        uuid[] not null,
  endpoint_ids   uuid[] not null default '{}',
  evidence       jsonb not null,
  since          timestamptz not null,
  resolved_at    timestamptz,
  primary key (customer_id, id),
  constraint endpoint_conflicts_kind_is_known check (kind in ('serial_and_name', 'two_candidates', 'same_name', 'contradicted')),
  constraint endpoint_conflicts_have_candidates check (cardinality(records) >= 2)
);
create unique index endpoint_conflicts_open_once on public.endpoint_conflicts (customer_id, kind, records) where resolved_at is null;
create index endpoint_conflicts_open on public.endpoint_conflicts (since, id) where resolved_at is null;
create index endpoint_conflicts_endpoints on public.endpoint_conflicts using gin (endpoint_ids);
comment on table public.endpoint_conflicts is 'Records of which no rule can say whether they are one machine: a person decides. Owner: estate. Retention: 1 year after it was resolved.';
