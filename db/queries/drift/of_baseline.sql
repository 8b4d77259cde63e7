-- Open drifts that a baseline makes in these tenants.
select d.customer_id, d.id, d.cipp_tenant_id from public.drifts d
where d.baseline_id = $1 and d.cipp_tenant_id = any ($2::uuid[]) and d.state in ('open', 'denied')
order by d.customer_id, d.cipp_tenant_id, d.setting limit $3
