-- A portal user cannot approve by writing the approval: the function asks for the permission and records who decided.
-- as: authenticated(portal_approver)
update flow.approvals set state = 'approved'
-- gives: refused

-- The same for staff.
-- as: staff(owner)
update flow.approvals set state = 'approved', decided_by = :mine.users.id, decided_at = now()
-- gives: refused

-- Nobody turns an outcome into verified.
-- as: staff(owner)
update flow.changes set state = 'verified'
-- gives: refused

-- A portal user sees the steps of their customer's runs only.
-- as: authenticated(portal_admin)
select from public.steps
-- gives: 1

-- An open alert can be acknowledged.
-- as: staff(technician)
update public.alerts set state = 'acknowledged'
-- gives: 2

-- An alert is not resolved by hand: its source says when the condition is gone.
-- as: staff(technician)
update public.alerts set state = 'resolved'
-- gives: PT409

-- A portal user without alerts:write acknowledges nothing.
-- as: authenticated(portal_admin)
update public.alerts set state = 'acknowledged'
-- gives: 0

-- A technician does not edit remediation rules.
-- as: staff(technician)
update public.remediation_rules set requires_approval = false
-- gives: 0

-- A change counts as verified only with its reading: whoever writes it.
-- as: worker(customer)
update flow.changes set state = 'verified', applied_at = now()
-- gives: 23514
