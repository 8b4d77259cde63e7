-- Tickets, their events, and the service levels they are measured by.
create domain public.ticket_priority as text constraint ticket_priority_is_known check (value in ('p1', 'p2', 'p3', 'p4'));
create domain public.ticket_state as text constraint ticket_state_is_known check (value in ('open', 'assigned', 'in_progress', 'waiting_on_customer', 'resolved', 'closed'));

create table public.sla_policies (
  id         uuid primary key default app.uuid_v7(),
  name       text not null,
  is_default boolean not null default false
);
create unique index sla_policies_one_default on public.sla_policies (is_default) where is_default;
create unique index sla_policies_name_once on public.sla_policies (name);
comment on table public.sla_policies is 'A named set of response times. Owner: service desk. Retention: until removed.';

create table public.sla_targets (
  policy_id uuid not null references public.sla_policies on delete cascade,
  priority  public.ticket_priority not null,
  first_response_minutes integer not null,
  primary key (policy_id, priority),
  constraint sla_targets_are_positive check (first_response_minutes > 0)
);
comment on table public.sla_targets is 'Time to the first response per priority. Owner: service desk. Retention: with the policy.';

create table public.tickets (
  customer_id uuid not null references public.customers on delete cascade,
  id          uuid not null default app.uuid_v7(),
  number      bigint not null,
  subject     text not null,
  description text not null default '',
  priority    public.ticket_priority not null default 'p3',
  state       public.ticket_state not null default 'open',
  source      text not null default 'portal',
  device_id   uuid,
  incident_id uuid,
  opened_by   uuid references auth.users on delete set null,
  assigned_to uuid references auth.users on delete set null,
  opened_at   timestamptz not null default now(),
  first_response_due_at timestamptz not null,
  first_response_at timestamptz,
  escalated_at timestamptz,
  escalation_reason text,
  closed_at   timestamptz,
  resolution  text,
  external_ref jsonb,
  updated_at  timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, device_id) references public.devices (customer_id, id) on delete set null (device_id),
  foreign key (customer_id, incident_id) references public.incidents (customer_id, id) on delete set null (incident_id),
  constraint tickets_subject_is_not_empty check (length(trim(subject)) between 1 and 300),
  constraint tickets_description_is_bounded check (length(description) <= 20000),
  constraint tickets_closed_has_a_time check ((state = 'closed') = (closed_at is not null)),
  constraint tickets_escalated_has_a_reason check ((escalated_at is null) = (escalation_reason is null)),
  constraint tickets_source_is_known check (source in ('portal', 'alert', 'api', 'staff'))
);
create unique index tickets_number_once on public.tickets (customer_id, number);
create index tickets_customer_opened on public.tickets (customer_id, opened_at desc);
create index tickets_opened on public.tickets (opened_at desc nulls last);
create index tickets_open on public.tickets (customer_id, first_response_due_at) where state not in ('resolved', 'closed');
create index tickets_customer_priority_opened on public.tickets (customer_id, priority, opened_at desc);
create index tickets_device on public.tickets (customer_id, device_id);
create unique index tickets_incident_once on public.tickets (customer_id, incident_id);
create index tickets_opened_by on public.tickets (opened_by);
create index tickets_assigned_to on public.tickets (assigned_to);
comment on table public.tickets is 'One request of a customer. Owner: service desk. Retention: 7 years.';

create table public.ticket_events (
  customer_id uuid not null,
  id          uuid not null default app.uuid_v7(),
  ticket_id   uuid not null,
  kind        text not null,
  body        text not null,
  is_internal boolean not null default false,
  actor_id    uuid references auth.users on delete set null,
  evidence_id uuid,
  at          timestamptz not null default now(),
  primary key (customer_id, id),
  foreign key (customer_id, ticket_id) references public.tickets (customer_id, id) on delete cascade,
  foreign key (customer_id, evidence_id) references public.evidence (customer_id, id),
  constraint ticket_events_kind_is_known check (kind in ('opened', 'comment', 'state', 'escalation', 'evidence', 'automation')),
  constraint ticket_events_body_is_bounded check (length(body) between 1 and 20000)
);
create index ticket_events_ticket on public.ticket_events (customer_id, ticket_id, at);
create index ticket_events_actor on public.ticket_events (actor_id);
create index ticket_events_evidence on public.ticket_events (customer_id, evidence_id);
comment on table public.ticket_events is 'What happened to a ticket, in order: comments, states, escalations, evidence. Owner: service desk. Retention: 7 years.';

create table public.notifications (
  user_id     uuid not null references auth.users on delete cascade,
  id          uuid not null default app.uuid_v7(),
  customer_id uuid references public.customers on delete cascade,
  kind        text not null,
  title       text not null,
  body        text not null default '',
  link        text,
  created_at  timestamptz not null default now(),
  read_at     timestamptz,
  primary key (user_id, id)
);
create index notifications_unread on public.notifications (user_id, created_at desc) where read_at is null;
create index notifications_user_created on public.notifications (user_id, created_at desc);
create index notifications_customer on public.notifications (customer_id);
comment on table public.notifications is 'A message to one person inside the console. Owner: service desk. Retention: 90 days.';
