-- Files: buckets, objects of customers and of the provider, uploads that can be resumed, attachments of tickets.
create schema storage authorization owner;
comment on schema storage is 'Files: what is stored under which name. The bytes are in the object store, under opaque keys.';

create table storage.buckets (
  name           text primary key,
  kind           text not null,
  member_access  text not null default 'none',
  is_public      boolean not null default false,
  is_write_once  boolean not null default false,
  file_size_max_bytes bigint,
  allowed_mime_types  text[],
  created_by     uuid references auth.users on delete set null,
  created_at     timestamptz not null default now(),
  updated_at     timestamptz not null default now(),
  constraint buckets_are_of_customers_or_the_provider check (kind in ('customer', 'provider')),
  constraint buckets_open_to_members_none_read_or_write check (member_access in ('none', 'read', 'write')),
  constraint buckets_of_the_provider_are_closed_to_members check (kind = 'customer' or member_access = 'none'),
  constraint buckets_have_short_plain_names check (name ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
  constraint buckets_limit_is_positive check (file_size_max_bytes > 0)
);
create index buckets_created_by on storage.buckets (created_by);
comment on table storage.buckets is 'A named set of files with one rule for who may read and write, how large and of which types. Owner: platform. Retention: until removed.';

-- The first folder of a name is the customer: a row cannot say one customer in its key and another in its name.
create table storage.objects (
  customer_id uuid not null references public.customers on delete cascade,
  id          uuid not null default app.uuid_v7(),
  bucket      text not null references storage.buckets,
  name        text collate "C" not null,
  blob_key    text not null,
  sha256      text not null,
  size_bytes  bigint not null,
  mime_type   text not null,
  cache_control text not null default 'no-cache',
  user_metadata jsonb,
  owner_id    uuid references auth.users on delete set null,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  primary key (customer_id, id),
  constraint objects_live_under_their_customer check (starts_with(name, customer_id::text || '/')),
  constraint objects_have_bounded_names check (length(name) between 38 and 1024),
  constraint objects_hash_is_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint objects_size_is_not_negative check (size_bytes >= 0)
);
create unique index objects_name_once on storage.objects (customer_id, bucket, name);
create unique index objects_blob_once on storage.objects (blob_key);
create index objects_bucket on storage.objects (bucket);
create index objects_owner on storage.objects (owner_id);
comment on table storage.objects is 'One file of a customer: name, type, size, hash, and where its bytes are. Owner: platform. Retention: until removed, or with the customer.';

create table storage.provider_objects (
  id          uuid primary key default app.uuid_v7(),
  bucket      text not null references storage.buckets,
  name        text collate "C" not null,
  blob_key    text not null,
  sha256      text not null,
  size_bytes  bigint not null,
  mime_type   text not null,
  cache_control text not null default 'no-cache',
  user_metadata jsonb,
  owner_id    uuid references auth.users on delete set null,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  constraint provider_objects_have_bounded_names check (length(name) between 1 and 1024),
  constraint provider_objects_hash_is_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
  constraint provider_objects_size_is_not_negative check (size_bytes >= 0)
);
create unique index provider_objects_name_once on storage.provider_objects (bucket, name);
create unique index provider_objects_blob_once on storage.provider_objects (blob_key);
create index provider_objects_owner on storage.provider_objects (owner_id);
comment on table storage.provider_objects is 'One file of the provider itself, such as a knowledge article''s picture. Owner: platform. Retention: until removed.';

create table storage.uploads (
  customer_id uuid not null references public.customers on delete cascade,
  id          uuid not null default app.uuid_v7(),
  bucket      text not null references storage.buckets on delete cascade,
  name        text collate "C" not null,
  length_bytes bigint not null,
  offset_bytes bigint not null default 0,
  part_keys   text[] not null default '{}',
  is_upsert   boolean not null default false,
  mime_type   text not null,
  cache_control text not null,
  user_metadata jsonb,
  user_id     uuid not null references auth.users on delete cascade,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  completed_at timestamptz,
  primary key (customer_id, id),
  constraint uploads_live_under_their_customer check (starts_with(name, customer_id::text || '/')),
  constraint uploads_stay_within_their_length check (offset_bytes between 0 and length_bytes)
);
create index uploads_bucket on storage.uploads (bucket);
create index uploads_user on storage.uploads (user_id);
create index uploads_expires on storage.uploads (expires_at);
comment on table storage.uploads is 'A resumable upload under way (TUS): what was received, in which parts. Owner: platform. Retention: 1 day.';

create table storage.provider_uploads (
  id          uuid primary key default app.uuid_v7(),
  bucket      text not null references storage.buckets on delete cascade,
  name        text collate "C" not null,
  length_bytes bigint not null,
  offset_bytes bigint not null default 0,
  part_keys   text[] not null default '{}',
  is_upsert   boolean not null default false,
  mime_type   text not null,
  cache_control text not null,
  user_metadata jsonb,
  user_id     uuid not null references auth.users on delete cascade,
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  completed_at timestamptz,
  constraint provider_uploads_stay_within_their_length check (offset_bytes between 0 and length_bytes)
);
create index provider_uploads_bucket on storage.provider_uploads (bucket);
create index provider_uploads_user on storage.provider_uploads (user_id);
create index provider_uploads_expires on storage.provider_uploads (expires_at);
comment on table storage.provider_uploads is 'A resumable upload of the provider''s own file under way. Owner: platform. Retention: 1 day.';

create table public.ticket_attachments (
  customer_id uuid not null,
  id          uuid not null default app.uuid_v7(),
  ticket_id   uuid not null,
  object_id   uuid not null,
  file_name   text not null,
  added_by    uuid references auth.users on delete set null,
  added_at    timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, ticket_id) references public.tickets (customer_id, id) on delete cascade,
  foreign key (customer_id, object_id) references storage.objects (customer_id, id) on delete cascade,
  constraint ticket_attachments_have_a_file_name check (length(file_name) between 1 and 255)
);
create unique index ticket_attachments_object_once on public.ticket_attachments (customer_id, object_id);
create index ticket_attachments_ticket on public.ticket_attachments (customer_id, ticket_id, added_at);
create index ticket_attachments_added_by on public.ticket_attachments (added_by);
comment on table public.ticket_attachments is 'A file that belongs to a ticket; its bytes are an object of the bucket attachments. Owner: service desk. Retention: with the ticket.';

alter table public.ticket_events drop constraint ticket_events_kind_is_known;
alter table public.ticket_events add constraint ticket_events_kind_is_known
  check (kind in ('opened', 'comment', 'state', 'escalation', 'evidence', 'automation', 'attachment'));

-- Signed URLs have a key of their own: a link can never pass for a session, whatever is in it.
alter table vault.keys drop constraint keys_purpose_is_known;
alter table vault.keys add constraint keys_purpose_is_known check (purpose in ('token', 'evidence', 'link'));
comment on table vault.keys is 'Signing keys (tokens: ES256; evidence and signed URLs: Ed25519); the private half is sealed. Owner: security. Retention: forever, for old evidence.';
