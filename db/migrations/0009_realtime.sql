-- Messages of private channels, and the publication that the change feed reads.
create schema realtime authorization owner;
comment on schema realtime is 'Messages of private channels, and who may hear and send them. Not reachable through the data API.';

create table realtime.messages (
  inserted_at timestamptz not null default clock_timestamp(),
  id          uuid not null default app.uuid_v7(),
  topic       text not null,
  extension   text not null default 'broadcast',
  event       text not null,
  payload     jsonb not null default '{}',
  private     boolean not null default true,
  customer_id uuid,
  primary key (inserted_at, id),
  -- The customer of a topic `customer:<id>` or `customer:<id>:<anything>`; null for every other topic.
  constraint messages_customer_is_that_of_the_topic check (customer_id is not distinct from
    case when topic ~ '^customer:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(:|$)' then substring(topic from 10 for 36)::uuid end),
  constraint messages_extension_is_known check (extension in ('broadcast', 'presence')),
  constraint messages_topic_fits_a_frame check (octet_length(topic) between 1 and 200),
  constraint messages_event_fits_a_frame check (octet_length(event) between 1 and 200),
  constraint messages_payload_fits_a_frame check (octet_length(payload::text) <= 262144)
) partition by range (inserted_at);
create index messages_customer on realtime.messages (customer_id, inserted_at);
comment on table realtime.messages is 'Broadcasts that the database sent to channels; its policies say who may hear and send on which topic. Owner: platform. Retention: 3 days.';
create table realtime.messages_default partition of realtime.messages default;
comment on table realtime.messages_default is 'Rows of realtime.messages outside every daily partition. Owner: platform. Retention: 3 days.';

-- What is published is said by the rules.
create publication obera_realtime with (publish = 'insert, update, delete, truncate', publish_via_partition_root = true);
