-- SharePoint: sites and libraries of each tenant, what is in them, who may open it, and the words inside.
alter table public.integrations
  drop constraint integrations_vendor_is_known,
  add constraint integrations_vendor_is_known check (vendor in ('ninjaone', 'revio', 'microsoft', 'cipp', 'sharepoint'));

create table public.document_tenants (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  integration_id uuid not null references public.integrations on delete cascade,
  external_id    text not null,
  name           text not null,
  state          text not null default 'never',
  reason         text,
  permission     text,
  observed_at    timestamptz,
  attempted_at   timestamptz,
  sync_run_id    uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  constraint document_tenants_state_is_known check (state in ('never', 'complete', 'partial', 'denied', 'failed')),
  constraint document_tenants_faults_say_why check ((state in ('never', 'complete')) = (reason is null))
);
create unique index document_tenants_external_once on public.document_tenants (customer_id, integration_id, external_id);
create index document_tenants_integration on public.document_tenants (integration_id, external_id);
comment on table public.document_tenants is 'A tenant whose SharePoint is read, and how its list of sites was read last. Owner: knowledge. Retention: 1 year after it vanished.';

create table public.document_sites (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  tenant_id      uuid not null,
  external_id    text not null,
  name           text not null,
  web_url        text,
  kind           text not null,
  storage_used_bytes  bigint,
  storage_total_bytes bigint,
  -- Counted when its parts were read.
  files          integer not null default 0,
  texts          integer not null default 0,
  anonymous_links integer not null default 0,
  reads          text not null default 'inventory',
  chosen_by      uuid references auth.users on delete set null,
  chosen_at      timestamptz,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, tenant_id) references public.document_tenants (customer_id, id) on delete cascade,
  constraint document_sites_kind_is_known check (kind in ('root', 'site', 'personal')),
  constraint document_sites_reads_are_known check (reads in ('inventory', 'sharing', 'documents')),
  constraint document_sites_counts_are_counts check (least(files, texts, anonymous_links) >= 0),
  constraint document_sites_sizes_are_sizes check (least(storage_used_bytes, storage_total_bytes) >= 0)
);
create unique index document_sites_external_once on public.document_sites (customer_id, tenant_id, external_id);
create index document_sites_name on public.document_sites (name, id);
create index document_sites_customer_name on public.document_sites (customer_id, name, id);
create index document_sites_used on public.document_sites (storage_used_bytes desc nulls last, id);
create index document_sites_chosen_by on public.document_sites (chosen_by);
comment on table public.document_sites is 'A SharePoint site: how much is in it, and what of it the provider''s people chose to read. Owner: knowledge. Retention: 400 days after it vanished.';

create table public.document_site_parts (
  customer_id    uuid not null,
  site_id        uuid not null,
  part           text not null,
  state          text not null,
  reason         text,
  permission     text,
  observed_at    timestamptz,
  attempted_at   timestamptz not null,
  row_count      integer not null default 0,
  sync_run_id    uuid,
  primary key (customer_id, site_id, part),
  foreign key (customer_id, site_id) references public.document_sites (customer_id, id) on delete cascade,
  constraint document_site_parts_part_is_known check (part in ('libraries', 'items', 'sharing', 'texts')),
  constraint document_site_parts_state_is_known check (state in ('complete', 'partial', 'denied', 'failed')),
  constraint document_site_parts_faults_say_why check ((state = 'complete') = (reason is null)),
  constraint document_site_parts_count_is_a_count check (row_count >= 0)
);
comment on table public.document_site_parts is 'How far each kind of fact of a site was read last, when it was whole, and which permission is missing. Owner: knowledge. Retention: as long as the site.';

create table public.document_drives (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  site_id        uuid not null,
  external_id    text not null,
  name           text not null,
  web_url        text,
  used_bytes     bigint,
  total_bytes    bigint,
  -- The vendor's opaque links: where the next round begins, and where the one under way goes on.
  delta_link     text,
  round_link     text,
  round_id       uuid,
  round_run_id   uuid,
  round_is_full  boolean not null default false,
  round_is_done  boolean not null default false,
  -- The last full round that came to its end, and when any round did.
  full_round_id  uuid,
  complete_at    timestamptz,
  observed_at    timestamptz not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, site_id) references public.document_sites (customer_id, id) on delete cascade
);
create unique index document_drives_external_once on public.document_drives (customer_id, site_id, external_id);
comment on table public.document_drives is 'A document library of a site, and how far its changes were read. Owner: knowledge. Retention: as long as the site.';

create table public.documents (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  site_id        uuid not null,
  drive_id       uuid not null,
  external_id    text not null,
  parent_external text,
  name           text not null,
  path           text not null default '',
  kind           text not null,
  mime           text,
  size_bytes     bigint not null,
  etag           text,
  ctag           text,
  quick_xor_hash text,
  web_url        text,
  modified_at    timestamptz,
  modified_by    text,
  is_shared      boolean not null,
  is_infected    boolean not null default false,
  shares_due     boolean not null default false,
  object_id      uuid,
  sha256         text,
  text_state     text not null default 'none',
  text_reason    text,
  -- The version that text and bytes are of.
  text_ctag      text,
  seen_round_id  uuid,
  observed_at    timestamptz not null,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  title_words    tsvector not null generated always as (
    to_tsvector('english'::regconfig, regexp_replace(name, '\.[A-Za-z0-9]{1,5}$', '') || ' ' || translate(name, '._-()[]', '       '))
    || to_tsvector('simple'::regconfig, regexp_replace(name, '\.[A-Za-z0-9]{1,5}$', '') || ' ' || translate(name, '._-()[]', '       '))) stored,
  primary key (customer_id, id),
  foreign key (customer_id, site_id) references public.document_sites (customer_id, id) on delete cascade,
  foreign key (customer_id, drive_id) references public.document_drives (customer_id, id) on delete cascade,
  foreign key (customer_id, object_id) references storage.objects (customer_id, id) on delete set null (object_id),
  constraint documents_kind_is_known check (kind in ('file', 'folder', 'package')),
  constraint documents_text_state_is_known check (text_state in ('none', 'extracted', 'unsupported', 'too_large', 'failed', 'infected')),
  constraint documents_size_is_a_size check (size_bytes >= 0),
  constraint documents_hash_is_sha256 check (sha256 ~ '^[0-9a-f]{64}$')
);
create unique index documents_external_once on public.documents (customer_id, drive_id, external_id);
create index documents_parent on public.documents (customer_id, drive_id, parent_external);
create index documents_site on public.documents (customer_id, site_id) where missing_since is null;
create index documents_site_all on public.documents (customer_id, site_id, modified_at desc nulls last, id);
create index documents_object on public.documents (customer_id, object_id);
create index documents_modified on public.documents (modified_at desc nulls last, id) where missing_since is null and kind = 'file';
create index documents_customer_modified on public.documents (customer_id, modified_at desc nulls last, id) where missing_since is null and kind = 'file';
create index documents_shares_due on public.documents (customer_id, site_id) where shares_due and missing_since is null;
create index documents_titles on public.documents using gin (title_words);
comment on table public.documents is 'A file, folder or notebook of a library as SharePoint last reported it. Owner: knowledge. Retention: 400 days after it vanished.';

create table public.document_texts (
  customer_id    uuid not null,
  document_id    uuid not null,
  text           text not null,
  is_truncated   boolean not null,
  extracted_at   timestamptz not null,
  words          tsvector not null generated always as (to_tsvector('english'::regconfig, text) || to_tsvector('simple'::regconfig, text)) stored,
  primary key (customer_id, document_id),
  foreign key (customer_id, document_id) references public.documents (customer_id, id) on delete cascade,
  constraint document_texts_are_bounded check (octet_length(text) <= 200000)
);
create index document_texts_words on public.document_texts using gin (words);
comment on table public.document_texts is 'The words inside of a document that the provider''s people chose to read. Owner: knowledge. Retention: until the document vanishes or is chosen no more.';

create table public.document_shares (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  document_id    uuid not null,
  external_id    text not null,
  scope          text not null,
  kind           text not null,
  link_type      text,
  has_password   boolean not null,
  expires_at     timestamptz,
  granted_to     jsonb not null default '[]',
  is_external    boolean not null,
  first_seen_at  timestamptz not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  missing_since  timestamptz,
  -- 1: whoever finds the link may change it for ever; 8: people of the tenant may look at it.
  risk           smallint not null generated always as (case
    when scope = 'anonymous' and kind = 'edit' and expires_at is null and not has_password then 1
    when scope = 'anonymous' and kind = 'edit' then 2
    when scope = 'anonymous' and expires_at is null and not has_password then 3
    when scope = 'anonymous' then 4
    when is_external and kind = 'edit' then 5
    when is_external then 6
    when scope = 'organization' and kind = 'edit' then 7
    else 8 end) stored,
  primary key (customer_id, id),
  foreign key (customer_id, document_id) references public.documents (customer_id, id) on delete cascade,
  constraint document_shares_scope_is_known check (scope in ('anonymous', 'organization', 'people')),
  constraint document_shares_kind_is_known check (kind in ('view', 'edit'))
);
create unique index document_shares_external_once on public.document_shares (customer_id, document_id, external_id);
create index document_shares_risk on public.document_shares (risk, id) where missing_since is null;
create index document_shares_customer_risk on public.document_shares (customer_id, risk, id) where missing_since is null;
comment on table public.document_shares is 'A link or a named guest that opens a document beside the site''s own people. Owner: security. Retention: 400 days after it was taken back.';
