-- What is reported of devices is read, not written: not by staff either.
-- as: staff(owner)
update public.device_healths set antivirus = 'protected'
-- gives: refused

-- Nobody makes a reading look whole.
-- as: staff(technician)
update public.device_fact_parts set state = 'complete', reason = null
-- gives: refused

-- A portal user sees the programs of their customer's devices only.
-- as: authenticated(portal_admin)
select from public.device_programs
-- gives: 1

-- The counts over all customers are counts of what the caller may see.
-- as: authenticated(portal_admin)
select from public.software_list where customer_id is null
-- gives: 1

-- A role that lost the permission sees no software.
-- given: delete from public.role_permissions where permission = 'devices:read'
-- as: staff(technician)
select from public.software_titles
-- gives: 0

-- Background work of one customer cannot write facts of another.
-- as: worker(customer)
update public.device_programs set version = '0' where customer_id = :foreign.customers.id
-- gives: 0

-- Over all customers background work sees keys and states, no facts.
-- as: system
select observed_at from public.device_fact_parts
-- gives: refused
