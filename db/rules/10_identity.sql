-- The definers of 01_app read these as owner; sign-in writes them as system. Callers see themselves only.
create policy owner_select on auth.users for select to owner using (true);
create policy owner_select on auth.sessions for select to owner using (true);
create policy owner_select on public.staff_members for select to owner using (true);
create policy owner_select on public.memberships for select to owner using (true);
create policy owner_select on public.role_permissions for select to owner using (true);
create policy owner_all on app.counters for all to owner using (true) with check (true);

select app.open_to_system('auth.users'), app.open_to_system('auth.sessions'), app.open_to_system('auth.refresh_tokens'),
       app.open_to_system('auth.sign_in_attempts'), app.open_to_system('public.staff_members'), app.open_to_system('public.memberships'),
       app.open_to_system('public.roles'), app.open_to_system('public.permissions'), app.open_to_system('public.role_permissions');

-- Roles and permissions are the same for everybody and say nothing about a customer.
create policy signed_in_select on public.roles for select to authenticated, staff using (true);
create policy signed_in_select on public.permissions for select to authenticated, staff using (true);
create policy signed_in_select on public.role_permissions for select to authenticated, staff using (true);
grant select on public.roles, public.permissions, public.role_permissions to authenticated, staff;

create policy staff_select on public.staff_members for select to staff using ((select app.has('people:read')));
grant select on public.staff_members to staff;
create policy worker_select on public.staff_members for select to worker using (true);
grant select on public.staff_members to worker;
select app.protect('public.memberships', 'people', '{select}');
revoke insert, update, delete on public.memberships from worker;

select app.watch('auth.users', 'password_hash'), app.watch('auth.sessions'), app.watch('public.staff_members'),
       app.watch('public.memberships'), app.watch('public.roles'), app.watch('public.permissions'), app.watch('public.role_permissions');

-- Names of people, for "decided by" and "assigned to". Members see the people of their customers and themselves.
create or replace function app.people() returns table (id uuid, email text, display_name text, kind text)
language sql stable security definer set search_path = '' as $$
  select u.id, u.email, u.display_name, u.kind from auth.users u
  where (select app.session_lives())
    and (u.id = app.user_id()
      or exists (select from public.staff_members m where m.user_id = app.user_id())
      or exists (select from public.memberships m where m.user_id = u.id and m.customer_id = any ((select app.customers_with('people:read'))::uuid[])))
$$;
comment on function app.people() is 'Definer: reads auth.users, filtered to whom the caller may know.';
revoke all on function app.people() from public;
grant execute on function app.people() to authenticated, staff;
create view public.people with (security_invoker = true) as select p.id, p.email, p.display_name, p.kind from app.people() p;
comment on view public.people is 'People the caller may know, by name.';
grant select on public.people to authenticated, staff;

create policy worker_select on public.role_permissions for select to worker using (true);
grant select on public.role_permissions to worker;

-- How a person is named in a text that a customer's people read as well: never by name. Screens show the name to whoever may see that person.
create or replace function app.person_shown(p_user uuid) returns text language sql stable security definer set search_path = '' as $$
  select case u.kind when 'staff' then 'a technician of the provider' else 'a person of the customer' end from auth.users u where u.id = p_user
$$;
comment on function app.person_shown(uuid) is 'Definer: reads auth.users, which background work may not read; gives no name.';
-- For texts that only the provider's people read.
create or replace function app.person_name(p_user uuid) returns text language sql stable security definer set search_path = '' as $$
  select u.display_name from auth.users u where u.id = p_user
$$;
comment on function app.person_name(uuid) is 'Definer: reads auth.users, which background work may not read.';
revoke all on function app.person_shown(uuid), app.person_name(uuid) from public;
grant execute on function app.person_shown(uuid) to authenticated, staff, worker;
grant execute on function app.person_name(uuid) to worker;
