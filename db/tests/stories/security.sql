-- An auditor sees who read what.
-- as: staff(auditor)
select from public.access_log
-- gives: 1

-- A technician does not.
-- as: staff(technician)
select from public.access_log
-- gives: 0

-- Nobody forgets a read, not even the product.
-- as: system
delete from audit.access
-- gives: refused

-- Nobody changes one.
-- as: system
update audit.access set row_count = 0
-- gives: refused

-- A portal user sees the canary of their own customer only.
-- as: authenticated(portal_admin)
select from public.canaries
-- gives: 1

-- Nobody moves a canary.
-- as: staff(owner)
update public.canaries set token = 'canary_of_mine'
-- gives: refused

-- An owner takes note of a security alert, with a reason.
-- as: staff(owner)
update public.security_alerts set state = 'acknowledged', reason = 'a quarterly review'
-- gives: 1

-- Without a reason it stays open.
-- as: staff(owner)
update public.security_alerts set state = 'acknowledged'
-- gives: 23514

-- A technician sees no security alert, and takes note of none.
-- as: staff(technician)
update public.security_alerts set state = 'acknowledged', reason = 'nothing to see'
-- gives: 0

-- An auditor sees them, and changes nothing.
-- as: staff(auditor)
update public.security_alerts set state = 'acknowledged', reason = 'nothing to see'
-- gives: 0

-- A freeze that was lifted is not lifted again.
-- as: staff(owner)
update public.export_freezes set lift_reason = 'once more'
-- gives: PT409

-- Everybody signed in may ask whether exports are frozen.
-- as: authenticated(portal_admin)
select public.exports_frozen()
-- gives: 1
