-- No member learns what is wrong with the customer's tenant.
-- as: authenticated(portal_admin)
select id from public.posture_findings
-- gives: refused

-- Nor where its mail goes.
-- as: authenticated(portal_approver)
select id from public.mailbox_forwardings
-- gives: refused

-- Nor when secrets of its applications end.
-- as: authenticated(portal_admin)
select id from public.tenant_app_credentials
-- gives: refused

-- An auditor sees every customer's checks.
-- as: staff(auditor)
select id from public.posture_checks
-- gives: 2

-- Nobody passes a check by hand.
-- as: staff(owner)
update public.posture_checks set outcome = 'passed', findings = 0
-- gives: refused

-- Background work of one customer finds nothing of another.
-- as: worker(customer)
select id from public.posture_findings where customer_id = :foreign.customers.id
-- gives: 0

-- It marks no other customer's tenant as due.
-- as: worker(customer)
select app.posture_is_due(:foreign.customers.id, 'tenant', 'Tenant')
-- gives: refused

-- An unknown outcome keeps the number that was known, and names what is missing.
-- as: worker(customer)
update public.posture_checks set outcome = 'unknown'
-- gives: 23514

-- A passed check has no findings.
-- as: worker(customer)
update public.posture_checks set outcome = 'passed'
-- gives: 23514
