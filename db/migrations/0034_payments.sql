-- What customers paid, as the billing system says.
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
create index payments_customer_paid on public.payments (customer_id, paid_at desc);
comment on table public.payments is 'A payment of a customer''s account, as the billing system says; it names no bill. Owner: finance. Retention: 7 years.';
