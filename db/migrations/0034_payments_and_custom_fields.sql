-- What customers paid, as the billing system says, and what people wrote into custom fields of devices.
create table public.payments (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  account_ref    text not null,
  reference      text,
  amount         numeric(14,2) not null,
  currency       text not null,
  status         text,
  paid_at        timestamptz,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  constraint payments_currency_is_iso_4217 check (currency ~ '^[A-Z]{3}$')
);
create unique index payments_external_once on public.payments (customer_id, integration_id, external_id);
create index payments_integration on public.payments (integration_id, external_id);
create index payments_paid on public.payments (paid_at);
create index payments_customer_paid on public.payments (customer_id, paid_at desc);
comment on table public.payments is 'A payment of a customer''s account, as the billing system says; it names no bill. Owner: finance. Retention: 7 years, and while the billing system shows it.';

alter table public.device_fact_parts
  drop constraint device_fact_parts_part_is_known,
  add constraint device_fact_parts_part_is_known check (part in ('health', 'antivirus', 'patches', 'volumes', 'software', 'backups', 'custom_fields'));

create table public.device_custom_fields (
  customer_id    uuid not null,
  device_id      uuid not null,
  name           text not null,
  label          text,
  kind           text not null,
  value          jsonb not null,
  first_seen_at  timestamptz not null,
  changed_at     timestamptz not null,
  primary key (customer_id, device_id, name),
  foreign key (customer_id, device_id) references public.devices (customer_id, id) on delete cascade,
  constraint device_custom_fields_texts_are_bounded check (length(name) between 1 and 200 and length(label) <= 200),
  constraint device_custom_fields_secrets_are_not_kept check (kind not in ('text_encrypted', 'totp'))
);
comment on table public.device_custom_fields is 'What people wrote into a custom field of a device at the RMM; fields that hold secrets are never kept. Owner: estate. Retention: until a whole reading lacks it.';
