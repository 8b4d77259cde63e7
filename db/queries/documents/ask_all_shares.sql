-- A full reading asks for the sharing of every item that is shared, or was.
update public.documents d set shares_due = true
where d.customer_id = $1 and d.site_id = $2 and d.missing_since is null and not d.shares_due
  and (d.is_shared or exists (select from public.document_shares h where h.customer_id = d.customer_id and h.document_id = d.id and h.missing_since is null))
