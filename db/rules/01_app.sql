-- Who is asking. Settings are made by the data door (pg::ActorTx) at the start of each transaction.
create or replace function app.user_id() returns uuid language sql stable parallel safe as
$$ select nullif(current_setting('app.user_id', true), '')::uuid $$;
create or replace function app.session_id() returns uuid language sql stable parallel safe as
$$ select nullif(current_setting('app.session_id', true), '')::uuid $$;
create or replace function app.worker_customer() returns uuid language sql stable parallel safe as
$$ select nullif(current_setting('app.customer_id', true), '')::uuid $$;

-- Staff: does the caller hold this permission now? A revoked role, an ended session or a disabled person stops at the next statement.
-- The caller's ids are constants: written into the query, their settings would make it be planned anew at every call.
create or replace function app.has(permission text) returns boolean
language plpgsql stable security definer set search_path = '' as $$
declare
  me constant uuid := nullif(current_setting('app.user_id', true), '');
  session constant uuid := nullif(current_setting('app.session_id', true), '');
begin
  return exists (select from auth.rights r
    where r.session_id = session and r.reach = 'provider' and r.user_id = me and r.ends_at > now() and has.permission = any (r.permissions));
end $$;
comment on function app.has(text) is 'Definer: reads the rights of the caller''s session, which callers may not read.';

-- People limited to some customers: the customers where the caller holds this permission now.
create or replace function app.customers_with(permission text) returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
declare
  me constant uuid := nullif(current_setting('app.user_id', true), '');
  session constant uuid := nullif(current_setting('app.session_id', true), '');
  part uuid[];
  held uuid[] := '{}';
begin
  for part in select r.customers from auth.rights r
    where r.session_id = session and r.reach = 'customers' and r.user_id = me and r.ends_at > now() and customers_with.permission = any (r.permissions)
  loop
    held := held || part;
  end loop;
  return held;
end $$;
comment on function app.customers_with(text) is 'Definer: reads the rights of the caller''s session, which callers may not read.';

create or replace function app.session_lives() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select from auth.sessions s join auth.users u on u.id = s.user_id and u.disabled_at is null
    where s.id = app.session_id() and s.user_id = app.user_id() and s.ended_at is null and s.expires_at > now())
$$;
comment on function app.session_lives() is 'Definer: reads the caller''s own session.';

create or replace function app.permissions_of_caller() returns table (customer_id uuid, permission text)
language sql stable security definer set search_path = '' as $$
  select c.id, p.permission
  from auth.rights r cross join unnest(r.permissions) p (permission) left join unnest(r.customers) c (id) on true
  where r.session_id = app.session_id() and r.user_id = app.user_id() and r.ends_at > now()
$$;
comment on function app.permissions_of_caller() is 'Definer: reads the rights of the caller''s session only.';

-- The caller's permissions, for the console: provider-wide ones, and per customer.
create or replace function public.my_permissions() returns table (customer_id uuid, permission text)
language sql stable set search_path = '' as $$ select * from app.permissions_of_caller() $$;
comment on function public.my_permissions() is 'Permissions of the signed-in person; customer_id is null for provider-wide ones.';

-- The next human number of a customer's tickets or incidents.
create or replace function app.next_number(for_customer uuid, of_kind text) returns bigint
language sql volatile security definer set search_path = '' as $$
  insert into app.counters as c (customer_id, kind, last_number) values (for_customer, of_kind, 1)
  on conflict (customer_id, kind) do update set last_number = c.last_number + 1
  returning last_number
$$;
comment on function app.next_number(uuid, text) is 'Definer: callers may not write counters; called by triggers after the row''s own policy let the row in.';

-- Audit: who, what, before and after, in the transaction of the change. Arguments name columns that must not be copied.
create or replace function app.audit() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  old_row jsonb := case when tg_op in ('UPDATE', 'DELETE') then to_jsonb(old) end;
  new_row jsonb := case when tg_op in ('INSERT', 'UPDATE') then to_jsonb(new) end;
  one constant jsonb := coalesce(new_row, old_row);
  hidden text;
  -- A fact seen again unchanged, a lease kept and a reading's mark are no change of anything.
  unremarkable constant text[] := '{observed_at,devices_seen,activity_cursor,lease_owner,lease_until}';
begin
  if tg_op = 'UPDATE' and old_row - unremarkable = new_row - unremarkable then
    return null;
  end if;
  foreach hidden in array coalesce(tg_argv, '{}') loop
    old_row := case when old_row ? hidden then jsonb_set(old_row, array[hidden], '"(hidden)"') else old_row end;
    new_row := case when new_row ? hidden then jsonb_set(new_row, array[hidden], '"(hidden)"') else new_row end;
  end loop;
  insert into audit.log (customer_id, table_name, verb, actor_role, actor_id, request_id, reason, row_id, before, after)
  values (
    case when tg_table_name = 'customers' then (one ->> 'id')::uuid else (one ->> 'customer_id')::uuid end,
    tg_table_schema || '.' || tg_table_name, lower(tg_op), current_setting('role'), app.user_id(),
    nullif(current_setting('app.request_id', true), ''), nullif(current_setting('app.reason', true), ''),
    coalesce(one ->> 'id', one ->> 'user_id', one ->> 'external_id', one ->> 'key'), old_row, new_row);
  return null;
end $$;
comment on function app.audit() is 'Definer: nobody but this trigger may write audit.log.';

create or replace function app.watch(target regclass, variadic hidden text[] default '{}') returns void
language plpgsql set search_path = '' as $$
begin
  execute format('create trigger audit after insert or update or delete on %s for each row execute function app.audit(%s)',
    target, (select coalesce(string_agg(quote_literal(h), ', '), '') from unnest(hidden) h));
end $$;

-- Policies of a customer-owned table: members by membership, staff by permission, background work by its one customer.
-- `user_verbs` are the verbs that people have through the data API; what is not named there is not granted.
create or replace function app.protect(target regclass, noun text, user_verbs text[] default '{select,insert,update,delete}',
                                       key_column text default 'customer_id') returns void
language plpgsql set search_path = '' as $$
declare
  verb text;
  needed text;
  clause text;
  few text;
begin
  foreach verb in array array['select', 'insert', 'update', 'delete'] loop
    if verb = any (user_verbs) then
      needed := noun || case verb when 'select' then ':read' else ':write' end;
      execute format('grant %s on %s to authenticated, staff', verb, target);
      clause := case verb when 'insert' then 'with check (%1$s)' when 'update' then 'using (%1$s) with check (%1$s)' else 'using (%1$s)' end;
      -- Always true. The planner takes an unknown list for ten customers with rows spread evenly, and would walk an order index over everybody's
      -- rows to find the newest of them. This makes it expect few rows: it fetches these by customer and sorts them.
      few := case when verb = 'select' and key_column = 'customer_id' then ' and customer_id = coalesce(customer_id, customer_id)' else '' end;
      execute format('create policy member_%s on %s for %s to authenticated ', verb, target, verb)
        || format(clause, format('%I = any ((select app.customers_with(%L))::uuid[])', key_column, needed) || few);
      execute format('create policy staff_%s on %s for %s to staff ', verb, target, verb)
        || format(clause, format('(select app.has(%L))', needed));
    end if;
  end loop;
  execute format('grant select, insert, update, delete on %s to worker', target);
  execute format('create policy worker_all on %s for all to worker using (%2$I = (select app.worker_customer())) with check (%2$I = (select app.worker_customer()))', target, key_column);
end $$;
comment on function app.protect(regclass, text, text[], text) is 'The repetitive policies of a customer-owned table.';

-- Policies of a table of the provider: staff by permission, background work whole.
create or replace function app.protect_provider(target regclass, noun text, user_verbs text[] default '{select,insert,update,delete}') returns void
language plpgsql set search_path = '' as $$
declare
  verb text;
  needed text;
  clause text;
begin
  foreach verb in array user_verbs loop
    needed := noun || case verb when 'select' then ':read' else ':write' end;
    execute format('grant %s on %s to staff', verb, target);
    clause := case verb when 'insert' then 'with check (%1$s)' when 'update' then 'using (%1$s) with check (%1$s)' else 'using (%1$s)' end;
    execute format('create policy staff_%s on %s for %s to staff ', verb, target, verb)
      || format(clause, format('(select app.has(%L))', needed));
  end loop;
  execute format('grant select, insert, update, delete on %s to worker', target);
  execute format('create policy worker_all on %s for all to worker using (true) with check (true)', target);
end $$;
comment on function app.protect_provider(regclass, text, text[]) is 'The repetitive policies of a provider-level table.';

-- What `pg.system(reason)` may touch over all customers.
create or replace function app.open_to_system(target regclass, verbs text default 'select, insert, update, delete') returns void
language plpgsql set search_path = '' as $$
begin
  execute format('grant %s on %s to system', verbs, target);
  execute format('create policy system_all on %s for all to system using (true) with check (true)', target);
end $$;
comment on function app.open_to_system(regclass, text) is 'Policy for the few reasons that need all customers; each reason is an enum value in pg::SystemReason.';

-- One more partition of `parent`, protected like it; none when it is there, or when rows of its time lie in the default one. Gives how many were made.
create or replace function app.add_partition(parent regclass, suffix text, time_column text, since timestamptz, until timestamptz, about text) returns integer
language plpgsql set search_path = '' as $$
declare
  part constant text := parent || '_' || suffix;
  is_taken boolean;
begin
  execute format('select to_regclass(%1$L) is not null or exists (select from %2$s_default d where d.%3$I >= %4$L and d.%3$I < %5$L)',
    part, parent, time_column, since, until) into is_taken;
  if is_taken then
    return 0;
  end if;
  execute format('create table %s partition of %s for values from (%L) to (%L)', part, parent, since, until);
  execute format('comment on table %s is %L', part, about);
  execute format('alter table %s enable row level security', part);
  execute format('alter table %s force row level security', part);
  return 1;
end $$;
comment on function app.add_partition(regclass, text, text, timestamptz, timestamptz, text) is 'For the definers that keep partitions.';

revoke all on all functions in schema app, public from public;
grant execute on function app.user_id(), app.session_id(), app.worker_customer() to authenticated, staff, worker, system;
grant execute on function app.has(text), app.customers_with(text), app.permissions_of_caller(), public.my_permissions() to authenticated, staff;
grant execute on function app.uuid_v7() to authenticated, staff, worker, system;
