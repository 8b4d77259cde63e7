-- Devices as a vendor reports them, and what is wrong with them.
create table public.devices (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  site_id        uuid,
  name           text not null,
  class          text not null,
  vendor_class   text not null,
  os_name        text,
  serial_number  text,
  manufacturer   text,
  model          text,
  last_user      text,
  ip_addresses   text[] not null default '{}',
  is_offline     boolean,
  needs_reboot   boolean,
  approval       text not null default 'approved',
  disk_used_percent numeric(5,2),
  volumes        jsonb,
  last_contact_at timestamptz,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, site_id) references public.sites (customer_id, id) on delete set null (site_id),
  constraint devices_class_is_known check (class in ('workstation', 'server', 'virtual_machine', 'network', 'mobile', 'other')),
  constraint devices_disk_is_a_percentage check (disk_used_percent between 0 and 100)
) with (fillfactor = 60);
create unique index devices_external_once on public.devices (customer_id, integration_id, external_id);
create index devices_integration on public.devices (integration_id, external_id);
create index devices_customer_name on public.devices (customer_id, name, id);
create index devices_name on public.devices (name, id);
create index devices_site on public.devices (customer_id, site_id);
-- For counting; observed_at stays out of every index, so that marking a device as seen again is a cheap update.
create index devices_present on public.devices (customer_id) where missing_since is null;
create index devices_disk on public.devices (disk_used_percent desc nulls last, id);
create index devices_customer_disk on public.devices (customer_id, disk_used_percent desc nulls last);
comment on table public.devices is 'One device of a customer as its RMM last reported it, with when it was seen and whether that read was complete. Owner: estate. Retention: 1 year after it vanished.';

create table public.device_conditions (
  customer_id  uuid not null references public.customers on delete cascade,
  id           uuid not null default app.uuid_v7(),
  device_id    uuid not null,
  external_uid text not null,
  kind         text not null,
  severity     text not null,
  message      text not null,
  raised_at    timestamptz not null,
  cleared_at   timestamptz,
  observed_at  timestamptz not null,
  is_complete  boolean not null default true,
  primary key (customer_id, id),
  foreign key (customer_id, device_id) references public.devices (customer_id, id) on delete cascade,
  constraint device_conditions_severity_is_known check (severity in ('info', 'minor', 'moderate', 'major', 'critical')),
  constraint device_conditions_clear_after_raise check (cleared_at is null or cleared_at >= raised_at)
);
create unique index device_conditions_uid_once on public.device_conditions (customer_id, external_uid);
create index device_conditions_device on public.device_conditions (customer_id, device_id);
create index device_conditions_open on public.device_conditions (customer_id, device_id) where cleared_at is null;
comment on table public.device_conditions is 'Something wrong with a device, as its vendor reports it: raised, then cleared. Owner: monitoring. Retention: 1 year.';
