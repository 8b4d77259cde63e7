-- Files whose content is newer than what is kept of it.
select d.id, d.external_id, r.external_id as drive, d.name, d.mime, d.size_bytes, d.ctag, d.quick_xor_hash, d.is_infected, d.sha256 from public.documents d
join public.document_drives r on r.customer_id = d.customer_id and r.id = d.drive_id
where d.customer_id = $1 and d.site_id = $2 and d.missing_since is null and d.kind = 'file' and d.text_ctag is distinct from coalesce(d.ctag, '')
  and d.external_id > $3 order by d.external_id limit $4
