-- Tickets of customers' accounts, as the billing system says. They are its own, and no tickets of the service desk.
create table public.billing_tickets (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  account_ref    text not null,
  subject        text,
  status         text,
  opened_at      timestamptz,
  closed_at      timestamptz,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id)
);
create unique index billing_tickets_external_once on public.billing_tickets (customer_id, integration_id, external_id);
create index billing_tickets_integration on public.billing_tickets (integration_id, external_id);
create index billing_tickets_opened on public.billing_tickets (opened_at desc nulls last);
create index billing_tickets_customer_opened on public.billing_tickets (customer_id, opened_at desc);
create index billing_tickets_customer_status on public.billing_tickets (customer_id, status, opened_at desc);
create index billing_tickets_closed on public.billing_tickets (closed_at) where closed_at is not null;
comment on table public.billing_tickets is 'A ticket of a customer''s account, as the billing system says. Owner: finance. Retention: 7 years after it was closed, and while the billing system shows it.';
