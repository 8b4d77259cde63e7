-- A portal user learns nothing of the provider's connections.
-- as: authenticated(portal_approver)
select name from public.integrations
-- gives: refused

-- Nobody reads which credentials a connection uses.
-- as: staff(owner)
select credential_id from public.integrations
-- gives: refused

-- A technician asks for a synchronization in their own name.
-- given: delete from public.sync_runs
-- as: staff(technician)
insert into public.sync_runs (integration_id, kind, requested_by) values (:foreign.integrations.id, 'full', :mine.users.id)
-- gives: 1

-- A technician does not ask for a synchronization in somebody else's name.
-- given: delete from public.sync_runs
-- as: staff(technician)
insert into public.sync_runs (integration_id, kind, requested_by) values (:foreign.integrations.id, 'full', :colleague.users.id)
-- gives: refused

-- An auditor asks for none.
-- given: delete from public.sync_runs
-- as: staff(auditor)
insert into public.sync_runs (integration_id, kind, requested_by) values (:foreign.integrations.id, 'full', :mine.users.id)
-- gives: refused

-- Nobody writes the result of a synchronization by hand.
-- as: staff(owner)
update public.sync_runs set state = 'complete'
-- gives: refused

-- Who mapped an organization, and when, is not the caller's to say.
-- as: staff(owner)
with mapped as (update public.integration_organizations set customer_id = :foreign.customers.id, mapped_by = :colleague.users.id
  where customer_id = :colleague.customers.id returning mapped_by)
select from mapped where mapped_by = :mine.users.id
-- gives: 1

-- A technician maps no organization.
-- as: staff(technician)
update public.integration_organizations set customer_id = :foreign.customers.id
-- gives: 0

-- Nobody accepts what is not held back.
-- as: staff(technician)
insert into public.sync_runs (integration_id, kind, requested_by, accepted_run_id, accepted_reason)
values (:foreign.integrations.id, 'full', :mine.users.id, :foreign.sync_runs.id, 'They left us.')
-- gives: PT409

-- Who sees a device sees when it is stale, though not its source's row.
-- as: authenticated(portal_admin)
select from public.device_list where stale_at is not null
-- gives: 1
