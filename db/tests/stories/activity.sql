-- No member learns who signed in where: the provider's own people are among them.
-- as: authenticated(portal_admin)
select id from public.tenant_sign_ins
-- gives: refused

-- Nor who changed what in the customer's tenant.
-- as: authenticated(portal_approver)
select id from public.directory_change_list
-- gives: refused

-- An auditor sees what was read of every customer's logs.
-- as: staff(auditor)
select id from public.activity_spans
-- gives: 2

-- Nobody calls a gap read by hand.
-- as: staff(owner)
update public.activity_spans set state = 'read', reason = null
-- gives: refused

-- Nobody takes an entry out of a log.
-- as: staff(owner)
delete from public.directory_changes
-- gives: refused

-- Background work of one customer finds nothing of another.
-- as: worker(customer)
select id from public.directory_changes where customer_id = :foreign.customers.id
-- gives: 0

-- It writes nothing for another.
-- as: worker(customer)
update public.tenant_sign_ins set customer_id = :foreign.customers.id
-- gives: refused

-- A gap says why.
-- as: worker(customer)
update public.activity_spans set state = 'gap'
-- gives: 23514

-- A span does not end before it begins.
-- as: worker(customer)
update public.activity_spans set to_at = from_at - interval '1 second'
-- gives: 23514
