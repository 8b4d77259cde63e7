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

-- And of a payment; the rest of it they see.
-- as: authenticated(portal_admin)
select raw from public.payments
-- gives: refused

-- A customer's person sees their own payments.
-- as: authenticated(portal_admin)
select reference, amount, currency from public.payments
-- gives: 1

-- Background work over all customers sees where a payment is filed, not what was paid.
-- as: system
select amount from public.payments
-- gives: refused

-- What the vendor sent of a ticket is not the customer's to read.
-- as: authenticated(portal_admin)
select raw from public.billing_tickets
-- gives: refused

-- A customer's person sees the tickets of their own accounts.
-- as: authenticated(portal_admin)
select subject, status, opened_at from public.billing_tickets
-- gives: 1

-- Background work over all customers sees where a ticket is filed, not what it says.
-- as: system
select subject from public.billing_tickets
-- gives: refused

-- Background work of one customer removes no ticket of another.
-- as: worker(customer)
delete from public.billing_tickets where customer_id = :foreign.customers.id
-- gives: 0

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

-- What a line costs us is not the customer's to read.
-- as: authenticated(portal_admin)
select cost from public.billing_lines
-- gives: refused

-- A month that runs is not closed.
-- as: staff(owner)
insert into public.month_closes (month, note) values (date_trunc('month', now() at time zone 'UTC'), 'too soon')
-- gives: PT409

-- Nor one that nobody compared since it ended.
-- given: update public.reconciliations set ended_at = '2000-01-01'
-- as: staff(owner)
insert into public.month_closes (month, note) values ('2024-05-01', 'not compared')
-- gives: PT409

-- With differences left it takes a word why.
-- as: staff(owner)
insert into public.month_closes (month) values ('2024-05-01')
-- gives: PT409

-- With it, the month is signed off, and what was left is listed.
-- as: staff(owner)
insert into public.month_closes (month, note) values ('2024-05-01', 'known')
  returning 1 / (differences_open = 2 and jsonb_array_length(differences) = 2 and closed_by = app.user_id() and reconciliation_id is not null)::integer
-- gives: 1

-- Who signs is not the caller's to say.
-- as: staff(owner)
insert into public.month_closes (month, note, closed_by) values ('2024-05-01', 'known', null)
-- gives: refused

-- A technician signs nothing.
-- as: staff(technician)
insert into public.month_closes (month, note) values ('2024-05-01', 'known')
-- gives: refused

-- What is signed stays as it is.
-- as: staff(owner)
update public.month_closes set note = 'changed'
-- gives: refused
