-- A portal user does not read internal notes.
-- given: update public.ticket_events set is_internal = true
-- as: authenticated(portal_admin)
select from public.ticket_events
-- gives: 0

-- Staff read internal notes of every customer.
-- given: update public.ticket_events set is_internal = true
-- as: staff(technician)
select from public.ticket_events
-- gives: 2

-- A portal user comments on a ticket of their customer.
-- as: authenticated(portal_admin)
insert into public.ticket_events (customer_id, ticket_id, kind, body) values (:colleague.customers.id, :colleague.tickets.id, 'comment', 'Any news?')
-- gives: 1

-- A portal user cannot write an internal note: the column is not theirs.
-- as: authenticated(portal_admin)
insert into public.ticket_events (customer_id, ticket_id, kind, body, is_internal) values (:colleague.customers.id, :colleague.tickets.id, 'comment', 'psst', true)
-- gives: refused

-- A portal user cannot write history that only the system writes.
-- as: authenticated(portal_admin)
insert into public.ticket_events (customer_id, ticket_id, kind, body) values (:colleague.customers.id, :colleague.tickets.id, 'evidence', 'verified, trust me')
-- gives: PT403

-- A portal user cannot comment on a ticket of another customer under its customer.
-- as: authenticated(portal_admin)
insert into public.ticket_events (customer_id, ticket_id, kind, body) values (:foreign.customers.id, :foreign.tickets.id, 'comment', 'hello')
-- gives: refused

-- A portal user cannot comment on a ticket of another customer under their own: the foreign key carries the customer.
-- as: authenticated(portal_admin)
insert into public.ticket_events (customer_id, ticket_id, kind, body) values (:colleague.customers.id, :foreign.tickets.id, 'comment', 'hello')
-- gives: 23503

-- A portal user opens a ticket for their customer.
-- as: authenticated(portal_admin)
insert into public.tickets (customer_id, subject) values (:colleague.customers.id, 'Printer')
-- gives: 1

-- A portal user cannot open a ticket for another customer.
-- as: authenticated(portal_admin)
insert into public.tickets (customer_id, subject) values (:foreign.customers.id, 'Printer')
-- gives: refused

-- A portal user cannot open a ticket about a device of another customer.
-- as: authenticated(portal_admin)
insert into public.tickets (customer_id, subject, device_id) values (:colleague.customers.id, 'Printer', :foreign.devices.id)
-- gives: 23503

-- A portal user cannot set the number, the deadline or the opener.
-- as: authenticated(portal_admin)
insert into public.tickets (customer_id, subject, number) values (:colleague.customers.id, 'Printer', 7)
-- gives: refused

-- A portal user cannot close a ticket, not even their own customer's.
-- as: authenticated(portal_admin)
update public.tickets set state = 'closed' where id = :colleague.tickets.id
-- gives: refused

-- A portal user who names another customer's ticket changes nothing.
-- as: authenticated(portal_admin)
update public.tickets set subject = 'mine now' where customer_id = :foreign.customers.id and id = :foreign.tickets.id
-- gives: 0

-- Nobody's update reaches every ticket by leaving the condition out.
-- as: authenticated(portal_admin)
update public.tickets set subject = 'mine now'
-- gives: 1

-- An auditor changes no ticket.
-- as: staff(auditor)
update public.tickets set priority = 'p1'
-- gives: 0

-- A closed ticket stays closed.
-- given: update public.tickets set state = 'closed', closed_at = now()
-- as: staff(technician)
update public.tickets set state = 'open'
-- gives: PT409

-- A person reads their own notifications only.
-- as: staff(owner)
select from public.notifications
-- gives: 1

-- A notification cannot be given away.
-- as: staff(owner)
update public.notifications set user_id = :colleague.users.id
-- gives: refused

-- A notification's text is not its reader's to change.
-- as: staff(owner)
update public.notifications set body = 'changed'
-- gives: refused
