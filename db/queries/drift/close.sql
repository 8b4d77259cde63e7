-- What is in order again ($3), and what is not demanded any more (all but $4).
update public.drifts set state = 'closed', unknown_kind = null, closed_at = $5, evaluated_at = $5,
  close_reason = case when setting = any ($3::text[]) then 'in_order' else 'not_demanded' end
where customer_id = $1 and cipp_tenant_id = $2 and state not in ('closed', 'remediating') and (setting = any ($3::text[]) or setting <> all ($4::text[]))
