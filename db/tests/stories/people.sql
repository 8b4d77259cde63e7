-- A customer's person sees who has an account there, and how they are protected.
-- as: authenticated(portal_admin)
select user_principal_name, mfa_outcome, licenses_count from public.person_list
-- gives: 1

-- What the vendor sent of somebody is not theirs to read.
-- as: authenticated(portal_admin)
select raw from public.tenant_people
-- gives: refused

-- Nor each reason of an outcome.
-- as: authenticated(portal_admin)
select chain from public.mfa_results
-- gives: refused

-- Nor the access policies.
-- as: authenticated(portal_approver)
select name from public.access_policies
-- gives: refused

-- Nor what the provider may not read.
-- as: authenticated(portal_approver)
select reason from public.tenant_parts
-- gives: refused

-- Nor why a gap was accepted.
-- as: authenticated(portal_admin)
select reason from public.mfa_exceptions
-- gives: refused

-- A technician sees everybody's.
-- as: staff(technician)
select from public.person_list
-- gives: 2

-- And who left and still holds something.
-- as: staff(technician)
select from public.leaver_list where holds @> '[{"kind": "role"}]'
-- gives: 2

-- Policies and what is known of a tenant are staff's.
-- as: staff(auditor)
select from public.access_policies a join public.tenant_parts p on p.customer_id = a.customer_id and p.tenant_id = a.tenant_id
-- gives: 2

-- Members of groups and locations are read by nobody but background work.
-- as: staff(owner)
select from public.access_facts
-- gives: refused

-- Nobody accepts a gap past the function that asks for mfa:manage.
-- as: staff(owner)
insert into public.mfa_exceptions (customer_id, person_id, reason, until) values (:foreign.customers.id, :foreign.tenant_people.id, 'by hand', now() + interval '1 day')
-- gives: refused

-- Nor writes an outcome.
-- as: staff(owner)
update public.mfa_results set outcome = 'protected'
-- gives: refused

-- Background work of one customer touches no account of another.
-- as: worker(customer)
update public.tenant_people set missing_since = now() where customer_id = :foreign.customers.id
-- gives: 0

-- Nor its tenant, parts, licenses, policies and facts.
-- as: worker(customer)
with a as (update public.tenants set name = 'x' where customer_id = :foreign.customers.id returning 1), b as (update public.tenant_parts set row_count = 1 where customer_id = :foreign.customers.id returning 1),
  c as (update public.license_skus set assigned = 1 where customer_id = :foreign.customers.id returning 1), d as (update public.access_policies set name = 'x' where customer_id = :foreign.customers.id returning 1),
  e as (update public.access_facts set facts = '{}' where customer_id = :foreign.customers.id returning 1), f as (update public.mfa_results set reason_text = 'x' where customer_id = :foreign.customers.id returning 1),
  g as (update public.person_licenses set error = 'x' where customer_id = :foreign.customers.id returning 1)
select from a union all select from b union all select from c union all select from d union all select from e union all select from f union all select from g
-- gives: 0

-- A rule counts devices or seats, never both.
-- given: delete from public.count_differences; delete from public.count_rules
-- as: staff(owner)
insert into public.count_rules (name, billing_product_id, counts, device_classes, sku_ids, seat_basis)
  values ('Both', :foreign.billing_products.id, 'seats', '{workstation}', array[app.uuid_v7()], 'assigned')
-- gives: 23514

-- Of seats it says which licenses and how they are counted.
-- given: delete from public.count_differences; delete from public.count_rules
-- as: staff(owner)
insert into public.count_rules (name, billing_product_id, counts, sku_ids, seat_basis) values ('Business Premium', :foreign.billing_products.id, 'seats', array[app.uuid_v7()], 'assigned')
-- gives: 1
