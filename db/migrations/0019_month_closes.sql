-- What a line costs the provider: the margin of a customer is what is billed less this.
alter table public.billing_lines add column cost numeric(14,2);

-- A month that a person signed off: what differed then, word for word.
create table public.month_closes (
  id             uuid primary key default app.uuid_v7(),
  month          date not null,
  note           text,
  closed_by      uuid references auth.users on delete set null,
  closed_at      timestamptz not null default now(),
  reconciliation_id uuid references public.reconciliations on delete set null,
  customers_done integer not null default 0,
  customers_skipped integer not null default 0,
  differences_open integer not null default 0,
  differences    jsonb not null default '[]',
  totals         jsonb not null default '[]',
  constraint month_closes_month_is_its_first_day check (extract(day from month) = 1),
  constraint month_closes_note_is_bounded check (length(trim(note)) between 1 and 2000),
  constraint month_closes_counts_are_counts check (least(customers_done, customers_skipped, differences_open) >= 0)
);
create unique index month_closes_month_once on public.month_closes (month);
create index month_closes_closed_by on public.month_closes (closed_by);
create index month_closes_reconciliation on public.month_closes (reconciliation_id);
comment on table public.month_closes is 'A month whose billing a person signed off, with every difference that was left. Owner: finance. Retention: 7 years.';
