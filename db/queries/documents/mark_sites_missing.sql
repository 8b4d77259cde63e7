-- Sites that the vendor itself does not know any more; with them all that is in them.
with gone as (
  update public.document_sites set missing_since = $3 where customer_id = $1 and id = any ($2::uuid[]) and missing_since is null returning id
), drives as (
  update public.document_drives r set missing_since = $3, delta_link = null, round_link = null from gone where r.customer_id = $1 and r.site_id = gone.id returning 1
), files as (
  update public.documents d set missing_since = $3, object_id = null, text_state = 'none', text_ctag = null from gone
  where d.customer_id = $1 and d.site_id = gone.id and d.missing_since is null returning d.id
), texts as (
  delete from public.document_texts x using files where x.customer_id = $1 and x.document_id = files.id returning 1
), shares as (
  update public.document_shares h set missing_since = $3 from files where h.customer_id = $1 and h.document_id = files.id and h.missing_since is null returning 1
)
select count(*) as sites from gone
