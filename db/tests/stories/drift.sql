-- No member learns of a drift.
-- as: authenticated(portal_approver)
select id from public.drifts
-- gives: refused

-- Nor of what is demanded of them.
-- as: authenticated(portal_admin)
select setting from public.customer_baseline_entries
-- gives: refused

-- An auditor sees every customer's drifts.
-- as: staff(auditor)
select id from public.drifts
-- gives: 2

-- A technician edits no baseline.
-- as: staff(technician)
update public.baselines set name = 'Other'
-- gives: 0

-- Nor what one demands.
-- as: staff(technician)
delete from public.baseline_entries
-- gives: 0

-- Nor does a technician choose a tier.
-- given: delete from public.customer_tiers
-- as: staff(technician)
insert into public.customer_tiers (customer_id, baseline_id) values (:foreign.customers.id, :foreign.baselines.id)
-- gives: refused

-- An owner does, in their own name.
-- given: delete from public.customer_tiers
-- as: staff(owner)
with made as (insert into public.customer_tiers (customer_id, baseline_id) values (:foreign.customers.id, :foreign.baselines.id) returning set_by)
select from made where set_by = :mine.users.id
-- gives: 1

-- An owner demands something of one customer.
-- given: delete from public.customer_baseline_entries
-- as: staff(owner)
with made as (insert into public.customer_baseline_entries (customer_id, setting, rule, severity) values (:foreign.customers.id, 'standards.Other', '{"is": "equals", "value": true}', 'low') returning is_demanded)
select from made where is_demanded
-- gives: 1

-- A rule that nobody knows would never hold and never be seen.
-- given: delete from public.baseline_entries
-- as: staff(owner)
insert into public.baseline_entries (baseline_id, setting, rule, severity) values (:foreign.baselines.id, 'standards.Other', '{"is": "nice"}', 'low')
-- gives: 23514

-- A number is a number.
-- given: delete from public.baseline_entries
-- as: staff(owner)
insert into public.baseline_entries (baseline_id, setting, rule, severity) values (:foreign.baselines.id, 'standards.Other', '{"is": "at_least", "value": "many"}', 'low')
-- gives: 23514

-- Nobody closes a drift by hand.
-- as: staff(owner)
update public.drifts set state = 'closed'
-- gives: refused

-- Nobody accepts one but through the function.
-- as: staff(owner)
insert into public.drift_exceptions (customer_id, cipp_tenant_id, setting, reason, until) values (:foreign.customers.id, :foreign.cipp_tenants.id, 'standards.Other', 'so', now() + interval '1 day')
-- gives: refused

-- An edit of the provider's baseline makes tenants due.
-- given: update public.baselines set kind = 'provider', archived_at = null; update public.drift_evaluations set due_at = now() + interval '1 hour'
-- as: staff(owner)
with edited as (update public.baseline_entries set why = 'because' returning 1), seen as (select count(*) from edited)
select from seen
-- gives: 1
