-- Items that the last full round did not show, and those in a folder that is gone: each is asked for by its own id.
select d.id, d.external_id from public.documents d join public.document_drives r on r.customer_id = d.customer_id and r.id = d.drive_id
where d.customer_id = $1 and d.drive_id = $2 and d.missing_since is null
  and (d.seen_round_id is distinct from r.full_round_id
    or exists (select from public.documents p where p.customer_id = $1 and p.drive_id = $2 and p.external_id = d.parent_external and p.missing_since is not null))
order by d.external_id limit $3
