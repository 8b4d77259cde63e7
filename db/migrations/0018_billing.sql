-- What is billed (Rev.io) beside what is counted (devices), and every difference between the two in money.
alter table public.integrations
  drop constraint integrations_vendor_is_known,
  add constraint integrations_vendor_is_known check (vendor in ('ninjaone', 'revio'));

-- What the vendor says of an account besides its name; people read it when they map.
alter table public.integration_organizations add column account_number text;

create table public.billing_products (
  id             uuid primary key default app.uuid_v7(),
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  name           text not null,
  code           text,
  rate           numeric(14,2),
  currency       text not null,
  is_active      boolean not null,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  constraint billing_products_currency_is_iso_4217 check (currency ~ '^[A-Z]{3}$')
);
create unique index billing_products_external_once on public.billing_products (integration_id, external_id);
comment on table public.billing_products is 'A product of the billing system, as it last said. Owner: finance. Retention: as long as a line or bill refers to it.';

create table public.billing_lines (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  account_ref    text not null,
  product_id     uuid references public.billing_products on delete set null,
  product_ref    text not null,
  name           text not null,
  quantity       numeric(14,4) not null,
  rate           numeric(14,2),
  currency       text not null,
  status         text not null,
  is_active      boolean not null,
  activated_at   timestamptz,
  billed_through_at timestamptz,
  contract_end_at timestamptz,
  disconnected_at timestamptz,
  quantity_changed_at timestamptz,
  updated_at     timestamptz,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  constraint billing_lines_currency_is_iso_4217 check (currency ~ '^[A-Z]{3}$')
);
create unique index billing_lines_external_once on public.billing_lines (customer_id, integration_id, external_id);
create index billing_lines_integration on public.billing_lines (integration_id, external_id);
create index billing_lines_product on public.billing_lines (product_id);
create index billing_lines_customer_product on public.billing_lines (customer_id, product_id) where missing_since is null;
comment on table public.billing_lines is 'A line of a customer''s account at the billing system: what is billed every month, as it last said. Owner: finance. Retention: 7 years after it vanished.';

create table public.bills (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  account_ref    text not null,
  number         text,
  billed_at      timestamptz not null,
  due_at         timestamptz,
  total_amount   numeric(14,2),
  currency       text not null,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  constraint bills_currency_is_iso_4217 check (currency ~ '^[A-Z]{3}$')
);
create unique index bills_external_once on public.bills (customer_id, integration_id, external_id);
create index bills_integration on public.bills (integration_id, external_id);
create index bills_customer_billed on public.bills (customer_id, billed_at desc);
comment on table public.bills is 'A bill of a customer, as the billing system says. Owner: finance. Retention: 7 years.';

create table public.bill_charges (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  bill_id        uuid not null,
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  line_id        uuid,
  line_ref       text,
  product_id     uuid references public.billing_products on delete set null,
  product_ref    text,
  name           text not null,
  quantity       numeric(14,4),
  rate           numeric(14,2),
  amount         numeric(14,2) not null,
  currency       text not null,
  period_start_at timestamptz,
  period_end_at  timestamptz,
  is_prorated    boolean not null default false,
  observed_at    timestamptz not null,
  primary key (customer_id, id),
  foreign key (customer_id, bill_id) references public.bills (customer_id, id) on delete cascade,
  foreign key (customer_id, line_id) references public.billing_lines (customer_id, id) on delete set null (line_id),
  constraint bill_charges_currency_is_iso_4217 check (currency ~ '^[A-Z]{3}$')
);
create unique index bill_charges_external_once on public.bill_charges (customer_id, integration_id, external_id);
create index bill_charges_integration on public.bill_charges (integration_id);
create index bill_charges_bill on public.bill_charges (customer_id, bill_id);
create index bill_charges_line on public.bill_charges (customer_id, line_id);
create index bill_charges_product on public.bill_charges (product_id);
comment on table public.bill_charges is 'One charge on a bill: which line, how many, at which rate, for which time. Owner: finance. Retention: 7 years.';

create table public.count_rules (
  id             uuid primary key default app.uuid_v7(),
  name           text not null,
  billing_product_id uuid not null references public.billing_products on delete cascade,
  device_classes text[] not null,
  approved_only  boolean not null default true,
  multiplier     numeric(10,4) not null default 1,
  enabled        boolean not null default true,
  created_by     uuid references auth.users on delete set null,
  created_at     timestamptz not null default now(),
  constraint count_rules_name_is_not_empty check (length(trim(name)) between 1 and 200),
  constraint count_rules_classes_are_known check (device_classes <@ array['workstation', 'server', 'virtual_machine', 'network', 'mobile', 'other'] and cardinality(device_classes) >= 1),
  constraint count_rules_multiplier_is_positive check (multiplier > 0 and multiplier <= 1000)
);
create unique index count_rules_name_once on public.count_rules (name);
create unique index count_rules_product_once on public.count_rules (billing_product_id);
create index count_rules_created_by on public.count_rules (created_by);
comment on table public.count_rules is 'Which devices a product of the billing system stands for, and how many of it each. Owner: finance. Retention: until removed.';

create table public.reconciliations (
  id             uuid primary key default app.uuid_v7(),
  scope          text not null default 'all',
  reason         text not null,
  requested_by   uuid references auth.users on delete set null,
  state          text not null default 'running',
  started_at     timestamptz not null,
  ended_at       timestamptz,
  customers_done integer not null default 0,
  customers_skipped integer not null default 0,
  skipped        jsonb not null default '[]',
  opened         integer not null default 0,
  reopened       integer not null default 0,
  closed         integer not null default 0,
  differences_open integer not null default 0,
  totals         jsonb not null default '[]',
  error          text,
  constraint reconciliations_state_is_known check (state in ('running', 'complete', 'failed')),
  constraint reconciliations_scope_is_known check (scope in ('all', 'customer')),
  constraint reconciliations_reason_is_known check (reason in ('schedule', 'sync', 'request')),
  constraint reconciliations_over_have_a_time check ((state = 'running') = (ended_at is null)),
  constraint reconciliations_counts_are_counts check (least(customers_done, customers_skipped, opened, reopened, closed, differences_open) >= 0)
);
create index reconciliations_started on public.reconciliations (started_at desc);
create index reconciliations_requested_by on public.reconciliations (requested_by);
comment on table public.reconciliations is 'One comparison of counts with lines: which customers, which were skipped and why, what it found. Owner: finance. Retention: 90 days.';

create table public.count_differences (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  rule_id        uuid not null references public.count_rules,
  product_id     uuid not null references public.billing_products,
  line_id        uuid,
  counted        numeric(14,4) not null,
  billed         numeric(14,4) not null,
  difference     numeric(14,4) not null,
  direction      text not null,
  rate           numeric(14,2),
  rate_source    text not null,
  money_per_month numeric(14,2),
  currency       text not null,
  cause          jsonb not null,
  cause_text     text not null,
  state          text not null default 'open',
  state_text     text,
  first_seen_at  timestamptz not null,
  last_seen_at   timestamptz not null,
  devices_observed_at timestamptz not null,
  lines_observed_at timestamptz not null,
  stale_since    timestamptz,
  stale_reason   text,
  ignored_at     timestamptz,
  ignored_by     uuid references auth.users on delete set null,
  ignored_until  timestamptz,
  ignored_reason text,
  ignored_counted numeric(14,4),
  ignored_billed numeric(14,4),
  run_id         uuid,
  changed_at     timestamptz,
  changed_quantity numeric(14,4),
  bill_mark      bigint,
  bill_id        uuid,
  closed_at      timestamptz,
  close_reason   text,
  reconciliation_id uuid references public.reconciliations on delete set null,
  primary key (customer_id, id),
  foreign key (customer_id, line_id) references public.billing_lines (customer_id, id) on delete set null (line_id),
  foreign key (customer_id, bill_id) references public.bills (customer_id, id) on delete set null (bill_id),
  foreign key (customer_id, run_id) references flow.runs (customer_id, id) on delete set null (run_id),
  constraint count_differences_state_is_known check (state in ('open', 'ignored', 'changing', 'waiting_for_invoice', 'closed')),
  constraint count_differences_direction_is_known check (direction in ('under', 'over')),
  constraint count_differences_rate_source_is_known check (rate_source in ('line', 'former_line', 'product', 'none')),
  constraint count_differences_closed_say_when_and_why check ((state = 'closed') = (closed_at is not null) and (closed_at is null) = (close_reason is null)),
  constraint count_differences_close_reason_is_known check (close_reason in ('vanished', 'invoiced', 'superseded', 'rule_off')),
  constraint count_differences_ignored_say_why check (state <> 'ignored' or (ignored_reason is not null and ignored_until is not null)),
  constraint count_differences_waiting_know_what_for check (state <> 'waiting_for_invoice' or (changed_at is not null and changed_quantity is not null)),
  constraint count_differences_stale_say_why check ((stale_since is null) = (stale_reason is null)),
  constraint count_differences_currency_is_iso_4217 check (currency ~ '^[A-Z]{3}$')
);
-- Runs that change what is billed: members must not see them, and what belongs to them is looked up here.
create index runs_of_differences on flow.runs (customer_id, id) where subject_kind = 'count_difference';
-- One at a time per customer and rule; one that waits for its bill does not keep a new one from being opened.
create unique index count_differences_one_per_rule on public.count_differences (customer_id, rule_id) where state in ('open', 'ignored', 'changing');
create index count_differences_rule on public.count_differences (rule_id);
create index count_differences_product on public.count_differences (product_id);
create index count_differences_line on public.count_differences (customer_id, line_id);
create index count_differences_bill on public.count_differences (customer_id, bill_id);
create index count_differences_run on public.count_differences (customer_id, run_id);
create index count_differences_ignored_by on public.count_differences (ignored_by);
create index count_differences_reconciliation on public.count_differences (reconciliation_id);
create index count_differences_live on public.count_differences (state, money_per_month desc) where state <> 'closed';
comment on table public.count_differences is 'What a customer has and what is billed differ: by how much, why, how much money a month, and what was done about it. Owner: finance. Retention: 7 years after it closed.';
