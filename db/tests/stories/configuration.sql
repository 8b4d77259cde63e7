-- An item that somebody entered is theirs to write, not background work's: no synchronization touches it.
-- as: worker(customer)
update public.configuration_items set name = 'Other'
-- gives: refused

-- Nor does background work enter relationships.
-- as: worker(customer)
delete from public.configuration_relationships
-- gives: refused

-- A technician confirms an item.
-- as: staff(technician)
update public.configuration_items set status = 'retired'
-- gives: 2

-- Who entered an item is not the caller's to say.
-- as: staff(technician)
update public.configuration_items set created_by = :colleague.users.id
-- gives: refused

-- An auditor reads items and writes none.
-- as: staff(auditor)
update public.configuration_items set name = 'Other'
-- gives: 0

-- A portal user sees no configuration item, not even of their customer.
-- as: authenticated(portal_admin)
select from public.configuration_items
-- gives: refused

-- A relationship joins items of its own customer: an item of another is none.
-- as: staff(technician)
insert into public.configuration_relationships (customer_id, from_kind, from_id, kind, to_kind, to_id)
  values (:colleague.customers.id, 'customer', :colleague.customers.id, 'depends_on', 'customer', :foreign.customers.id)
-- gives: PT404

-- The history of an object is nobody's to write.
-- as: staff(owner)
insert into public.object_changes (customer_id, kind, object_id, source, verb, before, after, actor_role)
  values (:colleague.customers.id, 'device', :colleague.customers.id, 'x', 'update', '{}', '{}', 'staff')
-- gives: refused

-- A role that may not see devices any more does not see how they changed.
-- given: delete from public.role_permissions where permission = 'devices:read'
-- as: staff(technician)
select from public.object_changes
-- gives: 0

-- How SharePoint's sites changed is for the provider.
-- given: update public.object_changes set kind = 'sharepoint_site'
-- as: authenticated(portal_admin)
select from public.object_changes
-- gives: 0

-- What people entered is, too.
-- given: update public.object_changes set kind = 'item'
-- as: authenticated(portal_admin)
select from public.object_changes
-- gives: 0

-- A portal user sees how their customer's people changed.
-- given: update public.object_changes set kind = 'person'
-- as: authenticated(portal_admin)
select from public.object_changes
-- gives: 1
