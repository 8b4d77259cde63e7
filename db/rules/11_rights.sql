-- auth.rights follows sessions, people, roles and memberships, in the transaction of each change. Only the definers here touch it.
create policy owner_all on auth.rights for all to owner using (true) with check (true);

-- The one definition: what each live session may do.
create view app.rights_due with (security_invoker = true) as
  with held as (
    select m.user_id, 'provider' as reach, m.role, '{}'::uuid[] as customers from public.staff_members m
    union all
    select m.user_id, 'customers', m.role, array_agg(m.customer_id order by m.customer_id) from public.memberships m group by m.user_id, m.role)
  select s.id as session_id, h.reach, h.role, s.user_id, s.expires_at as ends_at,
         array(select p.permission from public.role_permissions p where p.role = h.role order by p.permission) as permissions, h.customers
  from auth.sessions s
  join auth.users u on u.id = s.user_id and u.disabled_at is null
  join held h on h.user_id = s.user_id
  where s.ended_at is null and s.expires_at > now();
comment on view app.rights_due is 'What auth.rights has to hold.';

-- Changes of one person follow one another: the second sees what the first committed. A change of many people, or of a role, is alone.
create or replace function app.lock_rights(p_users uuid[]) returns void
language plpgsql set search_path = '' as $$
declare
  persons_max constant integer := 100;
begin
  if cardinality(p_users) > persons_max then
    perform pg_advisory_xact_lock(7331011);
  else
    perform pg_advisory_xact_lock_shared(7331011);
    perform pg_advisory_xact_lock(7331012, person) from (select distinct hashtext(u::text) as person from unnest(p_users) u order by 1) x;
  end if;
end $$;

-- Works the rights of some people out anew: of all of their sessions, or of one. What has expired goes.
create or replace function app.renew_rights(p_users uuid[], p_session uuid default null) returns void
language plpgsql security definer set search_path = '' as $$
begin
  perform app.lock_rights(p_users);
  delete from auth.rights r using auth.sessions s
    where s.user_id = any (p_users) and r.session_id = s.id and (p_session is null or s.id = p_session or r.ends_at <= now());
  insert into auth.rights (session_id, reach, role, user_id, ends_at, permissions, customers)
    select d.session_id, d.reach, d.role, d.user_id, d.ends_at, d.permissions, d.customers from app.rights_due d
    where d.user_id = any (p_users) and (p_session is null or d.session_id = p_session);
end $$;
comment on function app.renew_rights(uuid[], uuid) is 'Definer: nobody but the triggers below may write auth.rights.';

create or replace function app.rights_of_sessions() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if tg_op = 'UPDATE' then
    if new.ended_at is null and new.user_id = old.user_id and old.ended_at is null and old.expires_at > now() then
      -- Kept open: what the session may do is the same.
      perform app.lock_rights(array[new.user_id]);
      update auth.rights r set ends_at = new.expires_at where r.session_id = new.id;
      return null;
    end if;
    delete from auth.rights r where r.session_id = new.id;
  end if;
  perform app.renew_rights(array[new.user_id], new.id);
  return null;
end $$;
comment on function app.rights_of_sessions() is 'Definer: nobody but this file may write auth.rights.';
create trigger rights after insert or update of user_id, ended_at, expires_at on auth.sessions for each row execute function app.rights_of_sessions();

create or replace function app.rights_of_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform app.renew_rights(array[new.id]);
  return null;
end $$;
comment on function app.rights_of_user() is 'Definer: nobody but this file may write auth.rights.';
create trigger rights after update of disabled_at on auth.users for each row execute function app.rights_of_user();

-- `changed` is what the statement wrote or took away.
create or replace function app.rights_of_holders() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform app.renew_rights(array(select distinct user_id from changed));
  return null;
end $$;
comment on function app.rights_of_holders() is 'Definer: nobody but this file may write auth.rights.';

create or replace function app.rights_of_roles() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  holders uuid[];
begin
  perform pg_advisory_xact_lock(7331011);
  select array(select m.user_id from public.staff_members m where m.role in (select c.role from changed c)
    union select m.user_id from public.memberships m where m.role in (select c.role from changed c)) into holders;
  perform app.renew_rights(holders);
  return null;
end $$;
comment on function app.rights_of_roles() is 'Definer: nobody but this file may write auth.rights.';

do $$
declare
  target text;
  change record;
begin
  foreach target in array array['public.staff_members', 'public.memberships', 'public.role_permissions'] loop
    for change in select * from (values ('insert', 'new'), ('update', 'old'), ('update', 'new'), ('delete', 'old')) c (verb, side) loop
      execute format('create trigger rights_%1$s_%2$s after %1$s on %3$s referencing %2$s table as changed for each statement execute function app.%4$s()',
        change.verb, change.side, target, case target when 'public.role_permissions' then 'rights_of_roles' else 'rights_of_holders' end);
    end loop;
  end loop;
end $$;

-- Sessions that were open before this release.
select app.renew_rights(array(select s.user_id from auth.sessions s where s.ended_at is null and s.expires_at > now()));
