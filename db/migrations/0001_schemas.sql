-- Schemas, and the durable helpers that tables may depend on.
create schema if not exists app authorization owner;
create schema auth authorization owner;
create schema vault authorization owner;
create schema flow authorization owner;
create schema audit authorization owner;
comment on schema app is 'Helpers of the policies. Not reachable through the data API.';
comment on schema auth is 'People who sign in, sessions, keys.';
comment on schema vault is 'Sealed credentials and keys. The key that opens them is never in the database.';
comment on schema flow is 'Tables of the workflow engine; public has views on them.';
comment on schema audit is 'Who changed what.';

-- Made by `migrate` before the first migration; here for those who apply the files by hand.
create table if not exists app.schema_history (
  name       text primary key,
  sha256     text not null,
  applied_at timestamptz not null default now()
);
comment on table app.schema_history is 'Applied migrations and the hash of the rules. Owner: platform. Retention: forever.';

-- UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits.
create function app.uuid_v7() returns uuid
language sql volatile parallel safe as $$
  select encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
        from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;
comment on function app.uuid_v7() is 'A new UUIDv7; durable because column defaults use it. Without settings of its own, so that it is inlined into them.';

-- One counter per customer and kind, so that the human numbers of a customer say nothing about the volume of others.
create table app.counters (
  customer_id uuid not null,
  kind        text not null,
  last_number bigint not null default 0,
  primary key (customer_id, kind),
  constraint counters_never_go_below_zero check (last_number >= 0)
);
comment on table app.counters is 'Last human number per customer and kind (tickets). Owner: service desk. Retention: as long as the customer.';

create table audit.log (
  id          uuid not null default app.uuid_v7(),
  at          timestamptz not null default clock_timestamp(),
  customer_id uuid,
  table_name  text not null,
  verb        text not null,
  actor_role  text not null,
  actor_id    uuid,
  request_id  text,
  reason      text,
  row_id      text,
  before      jsonb,
  after       jsonb,
  seal_seq    bigint,
  seal_position integer,
  primary key (at, id),
  constraint audit_log_verb_is_known check (verb in ('insert', 'update', 'delete'))
) partition by range (at);
comment on table audit.log is 'Who changed which row, before and after; written by a trigger in the transaction of the change. Owner: security. Retention: 7 years.';
create index audit_log_customer_at on audit.log (customer_id, at desc);
create index audit_log_row on audit.log (table_name, row_id, at desc);
create index audit_log_unsealed on audit.log (at, id) where seal_seq is null;
create index audit_log_seal on audit.log (customer_id, seal_seq, seal_position);
create table audit.log_default partition of audit.log default;
comment on table audit.log_default is 'Rows of audit.log outside every monthly partition. Owner: security. Retention: 7 years.';

-- One link of a hash chain; the chain of the provider's own rows has the customer 00000000-0000-0000-0000-000000000000.
create table audit.seals (
  customer_id  uuid not null,
  seq          bigint not null,
  previous_hash text not null,
  merkle_root  text not null,
  hash         text not null,
  rows         integer not null,
  signature    text not null,
  key_id       text not null,
  sealed_at    timestamptz not null,
  primary key (customer_id, seq),
  constraint seals_count_from_one check (seq >= 1 and rows >= 1)
);
comment on table audit.seals is 'Signed links over the audit log, one chain per customer: a changed or removed row breaks its chain. Owner: security. Retention: 7 years.';
