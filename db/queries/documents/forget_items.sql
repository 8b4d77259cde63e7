-- What staff chose to read no more: of a site that is only listed nothing inside is kept, of one that is only looked at for links no words.
with files as (
  delete from public.documents d where d.customer_id = $1 and d.site_id = $2 and $3 = 'inventory' returning 1
), drives as (
  update public.document_drives r set delta_link = null, round_link = null, full_round_id = null, complete_at = null
  where r.customer_id = $1 and r.site_id = $2 and $3 = 'inventory' and r.delta_link is not null returning 1
), parts as (
  delete from public.document_site_parts p where p.customer_id = $1 and p.site_id = $2
    and (p.part = 'texts' or $3 = 'inventory' and p.part in ('items', 'sharing')) returning 1
), words as (
  delete from public.document_texts x using public.documents d
  where d.customer_id = $1 and d.site_id = $2 and x.customer_id = d.customer_id and x.document_id = d.id and $3 = 'sharing' returning 1
)
update public.documents d set object_id = null, text_state = 'none', text_reason = null, text_ctag = null
where d.customer_id = $1 and d.site_id = $2 and $3 = 'sharing' and d.text_ctag is not null
