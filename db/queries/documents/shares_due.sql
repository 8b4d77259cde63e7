select d.id, d.external_id, r.external_id as drive from public.documents d
join public.document_drives r on r.customer_id = d.customer_id and r.id = d.drive_id
where d.customer_id = $1 and d.site_id = $2 and d.shares_due and d.missing_since is null and d.external_id > $3 order by d.external_id limit $4
