-- What an RMM reports of a device beyond its record: health, antivirus, patches, volumes, software, backups.
-- A reading covers all devices of a customer; when it was made, and whether it was whole, is kept once, so that a reading that says nothing
-- new rewrites none of millions of rows.
create table public.device_fact_parts (
  customer_id    uuid not null references public.customers on delete cascade,
  integration_id uuid not null references public.integrations on delete cascade,
  part           text not null,
  state          text not null,
  reason         text,
  observed_at    timestamptz,
  attempted_at   timestamptz not null,
  device_count   integer not null default 0,
  row_count      integer not null default 0,
  held_rows      integer not null default 0,
  sync_run_id    uuid,
  primary key (customer_id, integration_id, part),
  constraint device_fact_parts_part_is_known check (part in ('health', 'antivirus', 'patches', 'volumes', 'software', 'backups')),
  constraint device_fact_parts_state_is_known check (state in ('complete', 'partial', 'suspect', 'failed', 'absent')),
  constraint device_fact_parts_faults_say_why check ((state = 'complete') = (reason is null)),
  constraint device_fact_parts_counts_are_counts check (least(device_count, row_count, held_rows) >= 0)
);
create index device_fact_parts_integration on public.device_fact_parts (integration_id, part);
comment on table public.device_fact_parts is 'How each kind of fact about a customer''s devices was read last, when it was whole, and what is held back. Owner: estate. Retention: as long as the integration.';

create table public.device_healths (
  customer_id    uuid not null,
  device_id      uuid not null,
  health_status  text,
  threats_active integer,
  threats_quarantined integer,
  threats_blocked integer,
  os_patches_pending integer,
  os_patches_failed integer,
  software_patches_pending integer,
  software_patches_failed integer,
  vulnerabilities_critical integer,
  vulnerabilities_high integer,
  reboot_reason  text,
  antivirus      text,
  antivirus_products jsonb not null default '[]',
  patches_critical integer,
  patches_important integer,
  patches_other  integer,
  patches_failed integer,
  has_backup     boolean,
  backup_cloud_bytes bigint,
  backup_local_bytes bigint,
  backup_last_success_at timestamptz,
  backup_last_failure_at timestamptz,
  changed_at     timestamptz not null,
  primary key (customer_id, device_id),
  foreign key (customer_id, device_id) references public.devices (customer_id, id) on delete cascade,
  constraint device_healths_antivirus_is_known check (antivirus in ('protected', 'outdated', 'off', 'none', 'unknown'))
) with (fillfactor = 70);
create index device_healths_unguarded on public.device_healths (customer_id, antivirus) where antivirus <> 'protected';
create index device_healths_critical on public.device_healths (customer_id, patches_critical) where patches_critical > 0;
comment on table public.device_healths is 'What an RMM counts of one device: threats, antivirus, missing patches, backups. A column is empty until it was told. Owner: estate. Retention: as long as the device.';

create table public.device_volumes (
  customer_id    uuid not null,
  device_id      uuid not null,
  name           text not null,
  drive_letter   text not null default '',
  label          text,
  file_system    text,
  capacity_bytes bigint,
  free_bytes     bigint,
  protection     text,
  first_seen_at  timestamptz not null,
  changed_at     timestamptz not null,
  primary key (customer_id, device_id, name, drive_letter),
  foreign key (customer_id, device_id) references public.devices (customer_id, id) on delete cascade,
  constraint device_volumes_texts_are_bounded check (length(name) <= 200 and length(drive_letter) <= 20)
) with (fillfactor = 70);
comment on table public.device_volumes is 'A volume of a device with its size, its free space and whether BitLocker guards it. Owner: estate. Retention: until a whole reading lacks it.';

create table public.device_patches (
  customer_id    uuid not null,
  device_id      uuid not null,
  external_id    text not null,
  name           text not null,
  kb_number      text,
  severity       text not null,
  status         text not null,
  standing       text not null,
  kind           text,
  attempted_at   timestamptz,
  first_seen_at  timestamptz not null,
  changed_at     timestamptz not null,
  primary key (customer_id, device_id, external_id),
  foreign key (customer_id, device_id) references public.devices (customer_id, id) on delete cascade,
  constraint device_patches_standing_is_known check (standing in ('pending', 'failed', 'rejected', 'other')),
  constraint device_patches_texts_are_bounded check (length(external_id) <= 100 and length(name) <= 500)
);
comment on table public.device_patches is 'A patch of the operating system that a device lacks: not installed yet, failed, or rejected. Owner: estate. Retention: until a whole reading lacks it.';

create table public.device_programs (
  customer_id    uuid not null,
  device_id      uuid not null,
  name           text not null,
  version        text not null default '',
  publisher      text not null default '',
  installed_on   date,
  size_bytes     bigint,
  first_seen_at  timestamptz not null,
  changed_at     timestamptz not null,
  primary key (customer_id, device_id, name, version, publisher),
  foreign key (customer_id, device_id) references public.devices (customer_id, id) on delete cascade,
  constraint device_programs_texts_are_bounded check (length(name) between 1 and 200 and length(version) <= 100 and length(publisher) <= 100)
);
-- On which devices of a customer something is installed.
create index device_programs_name on public.device_programs (customer_id, name, version);
comment on table public.device_programs is 'Something that is installed on a device. Owner: estate. Retention: until a whole reading lacks it.';

create table public.software_titles (
  customer_id    uuid not null references public.customers on delete cascade,
  name           text not null,
  version        text not null default '',
  publisher      text not null default '',
  device_count   integer not null,
  first_seen_at  timestamptz not null,
  changed_at     timestamptz not null,
  primary key (customer_id, name, version, publisher),
  constraint software_titles_count_is_positive check (device_count > 0),
  constraint software_titles_texts_are_bounded check (length(name) between 1 and 200 and length(version) <= 100 and length(publisher) <= 100)
) with (fillfactor = 80);
create index software_titles_name on public.software_titles (name, version, publisher);
comment on table public.software_titles is 'How many devices of a customer have a program in a version: counted from device_programs when that changes, because counting millions of rows for a list takes too long. Owner: estate. Retention: as long as a device has it.';
