-- Items that are gone by the vendor's own word. Their words and bytes are not kept; the bytes are swept when nothing refers to them.
with gone as (
  update public.documents d set missing_since = $4, object_id = null, text_state = 'none', text_reason = null, text_ctag = null, shares_due = false
  where d.customer_id = $1 and d.drive_id = $2 and d.external_id = any ($3::text[]) and d.missing_since is null returning d.id
), texts as (
  delete from public.document_texts x using gone where x.customer_id = $1 and x.document_id = gone.id returning 1
), shares as (
  update public.document_shares h set missing_since = $4 from gone where h.customer_id = $1 and h.document_id = gone.id and h.missing_since is null returning 1
)
select count(*) as removed from gone
