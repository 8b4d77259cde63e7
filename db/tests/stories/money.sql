-- A customer's person sees their own lines.
-- as: authenticated(portal_admin)
select name, quantity, rate, currency from public.billing_lines
-- gives: 1

-- What the vendor sent says our cost: members do not read it.
-- as: authenticated(portal_admin)
select raw from public.billing_lines
-- gives: refused

-- As little of a bill.
-- as: authenticated(portal_admin)
select raw from public.bills
-- gives: refused

-- No member learns of a difference.
-- as: authenticated(portal_approver)
select id from public.count_differences
-- gives: refused

-- Nor of the rules.
-- as: authenticated(portal_approver)
select name from public.count_rules
-- gives: refused

-- A technician sees differences.
-- as: staff(technician)
select id from public.count_differences
-- gives: 2

-- A technician makes no rule.
-- given: delete from public.count_differences; delete from public.count_rules
-- as: staff(technician)
insert into public.count_rules (name, billing_product_id, device_classes) values ('Workstations', :foreign.billing_products.id, '{workstation}')
-- gives: refused

-- An owner does, in their own name.
-- given: delete from public.count_differences; delete from public.count_rules
-- as: staff(owner)
with made as (insert into public.count_rules (name, billing_product_id, device_classes) values ('Workstations', :foreign.billing_products.id, '{workstation}') returning created_by)
select from made where created_by = :mine.users.id
-- gives: 1

-- A technician changes no rule.
-- as: staff(technician)
update public.count_rules set enabled = false
-- gives: 0

-- An owner does.
-- as: staff(owner)
update public.count_rules set enabled = false
-- gives: 1

-- Nobody closes a difference by hand.
-- as: staff(owner)
update public.count_differences set state = 'closed'
-- gives: refused

-- A member does not see a run that changes what is billed.
-- given: update flow.runs set subject_kind = 'count_difference'
-- as: authenticated(portal_approver)
select from flow.runs
-- gives: 0

-- Nor its steps.
-- given: update flow.runs set subject_kind = 'count_difference'
-- as: authenticated(portal_approver)
select from flow.steps
-- gives: 0

-- Nor its change.
-- given: update flow.runs set subject_kind = 'count_difference'
-- as: authenticated(portal_approver)
select from flow.changes
-- gives: 0

-- Nor what it waits for.
-- given: update flow.runs set subject_kind = 'count_difference'
-- as: authenticated(portal_approver)
select from flow.approvals
-- gives: 0

-- Nor its evidence.
-- given: update flow.runs set subject_kind = 'count_difference'
-- as: authenticated(portal_approver)
select from public.evidence
-- gives: 0

-- Other runs they see.
-- as: authenticated(portal_approver)
select from flow.runs
-- gives: 1

-- Background work of one customer writes no difference of another.
-- as: worker(customer)
update public.count_differences set state_text = 'seen' where customer_id = :foreign.customers.id
-- gives: 0

-- What hides the provider's runs from members looks up these, and no others.
-- given: update flow.runs set subject_kind = 'count_difference'
-- as: owner
select from flow.runs
-- gives: 2
