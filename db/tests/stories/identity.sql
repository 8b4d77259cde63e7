-- An ended session sees nothing at the next statement.
-- given: update auth.sessions set ended_at = now(), end_reason = 'signed out'
-- as: staff(owner)
select from public.customers
-- gives: 0

-- An expired session sees nothing.
-- given: update auth.sessions set expires_at = now() - interval '1 second'
-- as: authenticated(portal_admin)
select from public.tickets
-- gives: 0

-- A disabled person sees nothing, whatever their session says.
-- given: update auth.users set disabled_at = now()
-- as: staff(owner)
select from public.devices
-- gives: 0

-- Somebody else's session is no session.
-- given: update auth.sessions set user_id = :colleague.users.id
-- as: staff(owner)
select from public.customers
-- gives: 0

-- A removed membership ends the view of its customer at once.
-- given: delete from public.memberships
-- as: authenticated(portal_admin)
select from public.customers
-- gives: 0

-- A role that lost a permission has lost it at once.
-- given: delete from public.role_permissions where permission = 'devices:read'
-- as: staff(technician)
select from public.devices
-- gives: 0

-- Nobody reads password hashes or sessions through their role.
-- as: staff(owner)
select password_hash from auth.users
-- gives: refused

-- A portal user knows the people of their customer and themselves: nobody of another customer, no staff.
-- as: authenticated(portal_admin)
select from public.people
-- gives: 2

-- A portal user whose session ended knows nobody.
-- given: update auth.sessions set ended_at = now(), end_reason = 'signed out'
-- as: authenticated(portal_admin)
select from public.people
-- gives: 0

-- A portal user cannot give themselves a role.
-- as: authenticated(portal_admin)
insert into public.memberships (customer_id, user_id, role) values (:foreign.customers.id, :mine.users.id, 'portal_admin')
-- gives: refused

-- A portal user cannot become staff.
-- as: authenticated(portal_admin)
insert into public.staff_members (user_id, role) values (:mine.users.id, 'owner')
-- gives: refused

-- Even an owner of the provider changes roles through functions only.
-- as: staff(owner)
update public.role_permissions set permission = 'customers:write'
-- gives: refused

-- A portal user who says in a setting that they are somebody else is checked against the session of that person.
-- as: authenticated(portal_admin)
with lie as (select set_config('app.user_id', :colleague.users.id, true)) select from lie, public.customers
-- gives: 0

-- Somebody limited to one customer, with audit:read there, reads the log of this customer only.
-- given: update public.memberships set role = 'auditor'
-- as: authenticated(portal_admin)
select from audit.log
-- gives: 1

-- A portal user reads no audit log.
-- as: authenticated(portal_admin)
select from audit.log
-- gives: 0

-- Nobody writes the audit log by hand.
-- as: system
insert into audit.log (table_name, verb, actor_role) values ('public.tickets', 'delete', 'staff')
-- gives: refused

-- A sealed row of the audit log is not sealed again.
-- given: update audit.log set seal_seq = 1, seal_position = 1
-- as: system
update audit.log set seal_seq = 2
-- gives: 0
