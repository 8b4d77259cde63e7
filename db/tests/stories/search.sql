-- A portal user finds the devices of their customer by a part of a word, whatever its case.
-- given: update public.devices set name = 'RECEPTION-07'
-- as: authenticated(portal_admin)
select from public.search_devices('Eption-0')
-- gives: 1

-- Staff find them for all customers.
-- given: update public.devices set name = 'RECEPTION-07'
-- as: staff(technician)
select from public.search_devices('Eption-0')
-- gives: 2

-- A portal user finds no device by another customer's name.
-- given: update public.customers set name = 'Unheard Of' where id = :foreign.customers.id
-- as: authenticated(portal_admin)
select from public.search_devices('unheard of')
-- gives: 0

-- Staff do.
-- given: update public.customers set name = 'Unheard Of' where id = :foreign.customers.id
-- as: staff(technician)
select from public.search_devices('unheard of')
-- gives: 1

-- Staff who may not read customers find none by a customer's name.
-- given: update public.customers set name = 'Unheard Of' where id = :foreign.customers.id
-- given: delete from public.role_permissions where permission = 'customers:read'
-- as: staff(technician)
select from public.search_devices('unheard of')
-- gives: 0

-- A portal user finds the tickets of their customer.
-- given: update public.tickets set subject = 'The printer on floor 3'
-- as: authenticated(portal_admin)
select from public.search_tickets('PRINTER on')
-- gives: 1

-- Staff find them for all customers.
-- given: update public.tickets set subject = 'The printer on floor 3'
-- as: staff(technician)
select from public.search_tickets('PRINTER on')
-- gives: 2

-- Who may not read tickets finds none, and is not told that there are some.
-- given: delete from public.role_permissions where permission = 'tickets:read'
-- as: staff(technician)
select from public.search_tickets('-')
-- gives: 0

-- Who may not read devices finds no ticket by its device.
-- given: update public.devices set name = 'RECEPTION-07'
-- given: update public.tickets t set device_id = d.id from public.devices d where d.customer_id = t.customer_id
-- given: delete from public.role_permissions where permission = 'devices:read'
-- as: staff(technician)
select from public.search_tickets('reception')
-- gives: 0

-- Who may, does.
-- given: update public.devices set name = 'RECEPTION-07'
-- given: update public.tickets t set device_id = d.id from public.devices d where d.customer_id = t.customer_id
-- as: staff(technician)
select from public.search_tickets('reception')
-- gives: 2

-- A portal user finds a ticket by its device, of their customer only.
-- given: update public.devices set name = 'RECEPTION-07'
-- given: update public.tickets t set device_id = d.id from public.devices d where d.customer_id = t.customer_id
-- as: authenticated(portal_admin)
select from public.search_tickets('reception')
-- gives: 1

-- Nobody finds anything after their session has ended.
-- given: update auth.sessions set ended_at = now(), end_reason = 'signed out'
-- as: authenticated(portal_admin)
select from public.search_tickets('-')
-- gives: 0

-- What finds keys cannot be asked for another person: the keys that a portal user gets are those of their customer.
-- as: authenticated(portal_admin)
select from app.tickets_found('-') where customer_id = :foreign.customers.id
-- gives: 0

-- Background work has no search.
-- as: worker(customer)
select from public.search_devices('a')
-- gives: refused

-- Nobody who is not signed in searches.
-- as: anon
select from public.search_devices('a')
-- gives: refused
