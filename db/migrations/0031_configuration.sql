-- Configuration items and relationships that people enter beside those that are derived, and how objects changed.
create table public.configuration_items (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  kind           text not null,
  name           text not null,
  description    text not null default '',
  status         text not null default 'in_use',
  -- What else is known of it: a name and a text each.
  attributes     jsonb not null default '{}',
  created_by     uuid references auth.users on delete set null,
  created_at     timestamptz not null default now(),
  changed_by     uuid references auth.users on delete set null,
  -- When somebody last entered it, or said that it is still so.
  confirmed_at   timestamptz not null default now(),
  primary key (customer_id, id),
  constraint configuration_items_kind_is_known check (kind in ('application', 'backup', 'certificate', 'circuit', 'contract', 'database', 'hardware', 'network', 'printer',
    'service', 'storage', 'vendor', 'other')),
  constraint configuration_items_name_is_not_empty check (length(trim(name)) between 1 and 200),
  constraint configuration_items_description_is_bounded check (length(description) <= 4000),
  constraint configuration_items_status_is_known check (status in ('planned', 'in_use', 'retired')),
  constraint configuration_items_attributes_are_texts check (jsonb_typeof(attributes) = 'object' and not jsonb_path_exists(attributes, '$.* ? (@.type() != "string")')),
  constraint configuration_items_attributes_are_bounded check (octet_length(attributes::text) <= 8192)
);
create index configuration_items_name on public.configuration_items (name, id);
create index configuration_items_created_by on public.configuration_items (created_by);
create index configuration_items_changed_by on public.configuration_items (changed_by);
comment on table public.configuration_items is 'A configuration item that a person entered because no source reports it. Owner: estate. Retention: until removed.';

create table public.configuration_relationships (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  from_kind      text not null,
  from_id        uuid not null,
  kind           text not null,
  to_kind        text not null,
  to_id          uuid not null,
  note           text not null default '',
  created_by     uuid references auth.users on delete set null,
  created_at     timestamptz not null default now(),
  confirmed_at   timestamptz not null default now(),
  primary key (customer_id, id),
  constraint configuration_relationships_kind_is_known check (kind in ('depends_on', 'runs_on', 'part_of', 'located_at', 'used_by', 'backed_up_by', 'protected_by', 'supported_by', 'connected_to')),
  constraint configuration_relationships_join_two_items check (from_id <> to_id),
  constraint configuration_relationships_note_is_bounded check (length(note) <= 2000)
);
create unique index configuration_relationships_once on public.configuration_relationships (customer_id, from_id, kind, to_id);
create index configuration_relationships_to on public.configuration_relationships (customer_id, to_id);
create index configuration_relationships_created_by on public.configuration_relationships (created_by);
comment on table public.configuration_relationships is 'A relationship between two configuration items of a customer that a person entered. Owner: estate. Retention: until removed, or an item it joins that a person entered is.';

-- What an object's row said before and after a change: of columns that everybody may read who may read the object.
create table public.object_changes (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  at             timestamptz not null default clock_timestamp(),
  kind           text not null,
  object_id      uuid not null,
  source         text not null,
  verb           text not null,
  before         jsonb not null,
  after          jsonb not null,
  actor_id       uuid,
  actor_role     text not null,
  sync_run_id    uuid,
  reason         text,
  primary key (customer_id, at, id),
  constraint object_changes_kind_is_known check (kind in ('device', 'intune_device', 'endpoint', 'person', 'tenant', 'license', 'site', 'service', 'sharepoint_site', 'ticket', 'item')),
  constraint object_changes_verb_is_known check (verb in ('update', 'delete'))
) partition by range (at);
create index object_changes_object on public.object_changes (customer_id, object_id, at desc);
comment on table public.object_changes is 'How an object changed: what its row said before and after, whichever synchronization or person changed it. Owner: estate. Retention: 13 whole months.';
create table public.object_changes_default partition of public.object_changes default;
comment on table public.object_changes_default is 'Rows of object_changes outside every monthly partition. Owner: estate. Retention: 13 whole months.';
