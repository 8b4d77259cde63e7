-- Customers (an MSP's clients), their sites, and the people who are limited to them.
create table public.customers (
  id         uuid primary key default app.uuid_v7(),
  slug       text not null,
  code       text not null,
  name       text not null,
  created_at timestamptz not null default now(),
  archived_at timestamptz,
  constraint customers_slug_is_url_safe check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  constraint customers_code_is_short check (code ~ '^[A-Z0-9]{2,8}$'),
  constraint customers_name_is_not_empty check (length(trim(name)) between 1 and 200)
);
create unique index customers_slug_once on public.customers (slug);
create unique index customers_code_once on public.customers (code);
create index customers_name on public.customers (name);
comment on table public.customers is 'One client of the provider. Owner: service desk. Retention: 7 years after the contract ends.';

alter table app.counters add constraint counters_belong_to_a_customer
  foreign key (customer_id) references public.customers on delete cascade;

create table public.memberships (
  customer_id uuid not null references public.customers on delete cascade,
  user_id     uuid not null references auth.users on delete cascade,
  role        text not null references public.roles,
  granted_at  timestamptz not null default now(),
  primary key (customer_id, user_id)
);
create index memberships_user on public.memberships (user_id);
create index memberships_role on public.memberships (role);
comment on table public.memberships is 'A person''s role at one customer: portal users, and staff limited to some customers. Owner: identity. Retention: as long as the person.';

create table public.sites (
  customer_id uuid not null references public.customers on delete cascade,
  id          uuid not null default app.uuid_v7(),
  name        text not null,
  integration_id uuid,
  external_id text,
  observed_at timestamptz,
  created_at  timestamptz not null default now(),
  primary key (customer_id, id),
  constraint sites_name_is_not_empty check (length(trim(name)) between 1 and 200)
);
create unique index sites_external_once on public.sites (customer_id, integration_id, external_id);
comment on table public.sites is 'A place of a customer (a location in the RMM). Owner: estate. Retention: as long as the customer.';
