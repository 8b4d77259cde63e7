-- Background work without a customer sees no row of any customer.
-- as: worker(provider)
select from public.devices
-- gives: 0

-- Background work without a customer writes no row of any customer.
-- as: worker(provider)
insert into public.sites (customer_id, name) values (:foreign.customers.id, 'Attic')
-- gives: refused

-- Background work of one customer cannot write a row of another.
-- as: worker(customer)
insert into public.sites (customer_id, name) values (:foreign.customers.id, 'Attic')
-- gives: refused

-- Background work of one customer cannot move a row to another.
-- as: worker(customer)
update public.sites set customer_id = :foreign.customers.id
-- gives: refused

-- Background work cannot point a row of its customer at another customer's device.
-- as: worker(customer)
update public.alerts set device_id = :foreign.devices.id
-- gives: 23503

-- Background work of one customer deletes only there.
-- as: worker(customer)
delete from public.device_conditions
-- gives: 1

-- Evidence is written once.
-- as: worker(customer)
update public.evidence set outcome = 'verified'
-- gives: refused

-- Background work makes nobody a member and nobody staff.
-- as: worker(customer)
insert into public.memberships (customer_id, user_id, role) values (:colleague.customers.id, :colleague.users.id, 'portal_admin')
-- gives: refused

-- Background work reads no people, no sessions and no tokens.
-- as: worker(customer)
select from auth.users
-- gives: refused

-- Background work reads no signing key.
-- as: worker(customer)
select from vault.keys
-- gives: refused
