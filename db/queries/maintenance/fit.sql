select d.id, d.name, d.approval, d.missing_since is not null as is_gone, i.vendor from public.devices d
join public.integrations i on i.id = d.integration_id
where d.customer_id = $1 and d.id = any ($2) order by d.name, d.id
