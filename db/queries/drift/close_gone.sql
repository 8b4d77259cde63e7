-- The tenant is no longer there: nothing is said of it any more.
update public.drifts set state = 'closed', unknown_kind = null, closed_at = $3, evaluated_at = $3, close_reason = 'tenant_gone'
where customer_id = $1 and cipp_tenant_id = $2 and state not in ('closed', 'remediating')
