-- Microsoft 365 posture: secrets of applications, secure score, mail domains and forwardings as they are read, and what the checks over all facts come to.
alter table public.tenant_parts
  drop constraint tenant_parts_part_is_known,
  add constraint tenant_parts_part_is_known
    check (part in ('organization', 'seats', 'people', 'sign_ins', 'registrations', 'mfa_states', 'policies', 'roles', 'managed_devices', 'applications', 'secure_score'));
alter table public.cipp_tenant_parts
  drop constraint cipp_tenant_parts_part_is_known,
  add constraint cipp_tenant_parts_part_is_known check (part in ('settings', 'alignment', 'alerts', 'mail_domains', 'forwardings'));
alter table public.integration_expiries
  drop constraint integration_expiries_kind_is_known,
  add constraint integration_expiries_kind_is_known check (kind in ('gdap', 'consent', 'secret', 'token', 'app_secret', 'app_certificate'));

-- Neither a secret nor the vendor's record: names, times and the first letters that the vendor itself shows.
create table public.tenant_app_credentials (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  tenant_id      uuid not null,
  external_id    text not null,
  app_external  text not null,
  client_external         text,
  app_name       text not null,
  kind           text not null,
  key_id         text not null,
  name           text,
  hint           text,
  starts_at      timestamptz,
  ends_at        timestamptz,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade,
  constraint tenant_app_credentials_kind_is_known check (kind in ('secret', 'certificate')),
  constraint tenant_app_credentials_hint_is_no_secret check (length(hint) <= 4)
) with (fillfactor = 80);
create unique index tenant_app_credentials_external_once on public.tenant_app_credentials (customer_id, tenant_id, external_id);
create index tenant_app_credentials_ends on public.tenant_app_credentials (ends_at, id) where missing_since is null;
comment on table public.tenant_app_credentials is 'A secret or certificate of an application of a tenant: when it begins and ends, never what it is. Owner: security. Retention: 400 days after it vanished.';

create table public.tenant_secure_scores (
  customer_id    uuid not null,
  tenant_id      uuid not null,
  day            date not null,
  current_score  numeric(10,2) not null,
  max_score      numeric(10,2) not null,
  controls       jsonb not null default '[]',
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  primary key (customer_id, tenant_id, day),
  foreign key (customer_id, tenant_id) references public.tenants (customer_id, id) on delete cascade,
  constraint tenant_secure_scores_are_scores check (current_score >= 0 and max_score > 0),
  constraint tenant_secure_scores_controls_are_bounded check (jsonb_typeof(controls) = 'array' and jsonb_array_length(controls) <= 200)
);
create index tenant_secure_scores_day on public.tenant_secure_scores (day);
comment on table public.tenant_secure_scores is 'The secure score that Microsoft gave a tenant for a day, with its controls. Owner: security. Retention: 400 days.';

create table public.tenant_mail_domains (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  cipp_tenant_id uuid not null,
  domain         text not null,
  mail_provider  text,
  mx_passes      boolean,
  spf_passes     boolean,
  spf_record     text,
  dkim_enabled   boolean,
  dmarc_present  boolean,
  dmarc_policy   text,
  dmarc_covers_all boolean,
  dmarc_reports  boolean,
  dnssec_present boolean,
  score_percent  smallint,
  analysed_at    timestamptz,
  raw            jsonb not null,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, cipp_tenant_id) references public.cipp_tenants (customer_id, id) on delete cascade,
  constraint tenant_mail_domains_policy_is_known check (dmarc_policy in ('none', 'quarantine', 'reject')),
  constraint tenant_mail_domains_score_is_a_percentage check (score_percent between 0 and 100)
) with (fillfactor = 80);
create unique index tenant_mail_domains_once on public.tenant_mail_domains (customer_id, cipp_tenant_id, domain);
comment on table public.tenant_mail_domains is 'Who may send mail in the name of a domain: SPF, DKIM and DMARC as CIPP''s analyser last found them. Owner: security. Retention: 400 days after it vanished.';

create table public.mailbox_forwardings (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  cipp_tenant_id uuid not null,
  external_id    text not null,
  mailbox        text not null,
  display_name   text,
  mailbox_kind   text,
  target         text not null,
  reach          text not null,
  keeps_copy     boolean,
  content_hash   bytea not null,
  observed_at    timestamptz not null,
  is_complete    boolean not null,
  seen_in_sync   uuid,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, cipp_tenant_id) references public.cipp_tenants (customer_id, id) on delete cascade,
  constraint mailbox_forwardings_reach_is_known check (reach in ('inside', 'outside', 'unknown'))
) with (fillfactor = 80);
create unique index mailbox_forwardings_once on public.mailbox_forwardings (customer_id, cipp_tenant_id, external_id);
comment on table public.mailbox_forwardings is 'A mailbox that hands its mail on: to whom, whether that is outside of the tenant''s verified domains, and whether it keeps a copy. Owner: security. Retention: 400 days after it was taken back.';

create table public.posture_tenants (
  customer_id    uuid not null references public.customers on delete cascade,
  id             uuid not null default app.uuid_v7(),
  external_id    text not null,
  name           text not null,
  due_at         timestamptz not null,
  attempted_at   timestamptz,
  missing_since  timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id)
) with (fillfactor = 80);
create unique index posture_tenants_once on public.posture_tenants (customer_id, external_id);
create index posture_tenants_due on public.posture_tenants (due_at);
create index posture_tenants_name on public.posture_tenants (name, id);
comment on table public.posture_tenants is 'A tenant by its id at Microsoft, whichever connections read it, and when its checks are due. Owner: security. Retention: 1 year after no connection has it any more.';

create table public.posture_checks (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  posture_tenant_id uuid not null,
  check_key       text not null,
  title          text not null,
  severity       text not null,
  severity_rank  smallint not null generated always as (case severity when 'critical' then 1 when 'high' then 2 when 'medium' then 3 else 4 end) stored,
  why            text not null,
  advice         text not null,
  outcome        text not null,
  -- Of the last time that it was known.
  findings       integer,
  looked_at      integer,
  known_at       timestamptz,
  missing_read   text,
  missing_reason text,
  permission     text,
  reads          jsonb not null default '[]',
  since          timestamptz not null,
  evaluated_at   timestamptz not null,
  observed_at    timestamptz,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, posture_tenant_id) references public.posture_tenants (customer_id, id) on delete cascade,
  constraint posture_checks_outcome_is_known check (outcome in ('passed', 'failed', 'unknown')),
  constraint posture_checks_severity_is_known check (severity in ('low', 'medium', 'high', 'critical')),
  constraint posture_checks_unknown_names_the_read check ((outcome = 'unknown') = (missing_read is not null) and (missing_read is null) = (missing_reason is null)),
  constraint posture_checks_counts_are_counts check (least(findings, looked_at) >= 0),
  constraint posture_checks_what_is_known_is_counted check ((findings is null) = (known_at is null) and (known_at is not null or outcome = 'unknown')),
  constraint posture_checks_failed_have_findings check (outcome = 'unknown' or (outcome = 'failed') = (findings > 0))
) with (fillfactor = 80);
create unique index posture_checks_once on public.posture_checks (customer_id, posture_tenant_id, check_key);
create index posture_checks_rank on public.posture_checks (severity_rank, id);
create index posture_checks_customer_rank on public.posture_checks (customer_id, severity_rank, id);
comment on table public.posture_checks is 'What a check of a tenant came to: passed, failed or unknown, on which readings, and how many findings were last known. Owner: security. Retention: as long as the tenant.';

create table public.posture_findings (
  customer_id    uuid not null,
  id             uuid not null default app.uuid_v7(),
  posture_check_id uuid not null,
  key            text not null,
  subject        text not null,
  detail         text not null,
  first_seen_at  timestamptz not null,
  created_at     timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, posture_check_id) references public.posture_checks (customer_id, id) on delete cascade,
  constraint posture_findings_key_is_bounded check (length(key) between 1 and 600)
);
create unique index posture_findings_once on public.posture_findings (customer_id, posture_check_id, key);
create index posture_findings_subject on public.posture_findings (customer_id, subject, id);
comment on table public.posture_findings is 'One thing that a check found, since when. Owner: security. Retention: until a complete reading does not show it any more.';

create table public.posture_days (
  customer_id    uuid not null,
  posture_tenant_id uuid not null,
  check_key       text not null,
  day            date not null,
  findings       integer not null,
  is_known       boolean not null,
  primary key (customer_id, posture_tenant_id, check_key, day),
  foreign key (customer_id, posture_tenant_id) references public.posture_tenants (customer_id, id) on delete cascade,
  constraint posture_days_findings_are_a_count check (findings >= 0)
);
create index posture_days_day on public.posture_days (day);
comment on table public.posture_days is 'How many findings a check of a tenant had on a day; on a day on which nothing could be said (is_known), the number before. Owner: security. Retention: 400 days.';
