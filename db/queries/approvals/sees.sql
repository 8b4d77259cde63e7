select exists (select from flow.approvals a where a.customer_id = $1 and a.id = $2) as sees
