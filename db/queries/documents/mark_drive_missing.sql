-- A library that the vendor does not know any more, with all that is in it.
with gone as (
  update public.document_drives set missing_since = $3, delta_link = null, round_link = null where customer_id = $1 and id = $2 and missing_since is null returning id
), files as (
  update public.documents d set missing_since = $3, object_id = null, text_state = 'none', text_reason = null, text_ctag = null, shares_due = false from gone
  where d.customer_id = $1 and d.drive_id = gone.id and d.missing_since is null returning d.id
), texts as (
  delete from public.document_texts x using files where x.customer_id = $1 and x.document_id = files.id returning 1
), shares as (
  update public.document_shares h set missing_since = $3 from files where h.customer_id = $1 and h.document_id = files.id and h.missing_since is null returning 1
)
select count(*) as removed from files
