-- Somebody limited to one customer, with customers:write there, renames this customer only.
-- given: update public.memberships set role = 'owner'
-- as: authenticated(portal_admin)
update public.customers set name = 'Renamed'
-- gives: 1

-- Somebody limited to one customer makes no customer.
-- given: update public.memberships set role = 'owner'
-- as: authenticated(portal_admin)
insert into public.customers (slug, code, name) values ('new', 'NEW', 'New')
-- gives: refused

-- An owner makes a customer.
-- as: staff(owner)
insert into public.customers (slug, code, name) values ('new', 'NEW', 'New')
-- gives: 1

-- A technician makes none.
-- as: staff(technician)
insert into public.customers (slug, code, name) values ('new', 'NEW', 'New')
-- gives: refused

-- Nobody deletes a customer with everything it has.
-- as: staff(owner)
delete from public.customers
-- gives: refused

-- The start page of a portal user counts their customer only.
-- as: authenticated(portal_admin)
select from public.overview where devices = 1 and tickets_open = 1 and alerts_open = 1
-- gives: 1

-- The start page of staff counts all customers.
-- as: staff(technician)
select from public.overview where devices = 2 and tickets_open = 2 and alerts_open = 2
-- gives: 1

-- A customer's row joined with another customer's id finds nothing.
-- as: authenticated(portal_admin)
select from public.device_list where customer_id = :foreign.customers.id
-- gives: 0
