-- A window is begun through the function, never by writing its row.
-- as: staff(owner)
update public.device_maintenances set state = 'active', verified_at = now()
-- gives: refused

-- Nobody mutes an alert by hand.
-- as: staff(technician)
update public.alert_mutes set ended_at = null, outcome = null
-- gives: refused

-- A customer's contact sees the windows of their own devices only.
-- as: authenticated(portal_admin)
select from public.device_maintenances
-- gives: 1

-- And what was muted of theirs.
-- as: authenticated(portal_admin)
select from public.alert_mutes
-- gives: 1

-- Over all customers background work sees which windows to look at, no reason.
-- as: system
select reason from public.device_maintenances
-- gives: refused

-- Proofs of access are the provider's.
-- as: authenticated(portal_admin)
select from public.tenant_canaries
-- gives: refused

-- A customer's contact sees their bills without our raw record of them.
-- as: authenticated(portal_admin)
select raw from public.bills
-- gives: refused
