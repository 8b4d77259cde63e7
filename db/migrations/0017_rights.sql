-- What each live session may do, worked out when roles, memberships or sessions change instead of at every statement.
create table auth.rights (
  session_id  uuid not null references auth.sessions on delete cascade,
  reach       text not null,
  role        text not null,
  user_id     uuid not null,
  ends_at     timestamptz not null,
  permissions text[] not null,
  customers   uuid[] not null,
  primary key (session_id, reach, role),
  constraint rights_reach_is_known check (reach in ('provider', 'customers')),
  constraint rights_of_the_provider_name_no_customer check (reach = 'customers' or customers = '{}')
);
comment on table auth.rights is 'What a live session may do: for each role of its person the permissions, and at which customers. Owner: identity. Retention: as long as the session lives.';
