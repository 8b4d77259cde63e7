-- How much is known inside of a site, after a part of it was read.
update public.document_sites s
set files = (select count(*) from public.documents d where d.customer_id = $1 and d.site_id = $2 and d.missing_since is null and d.kind = 'file'),
    texts = (select count(*) from public.documents d where d.customer_id = $1 and d.site_id = $2 and d.missing_since is null and d.text_state = 'extracted'),
    anonymous_links = (select count(*) from public.document_shares h join public.documents d on d.customer_id = h.customer_id and d.id = h.document_id
      where d.customer_id = $1 and d.site_id = $2 and h.missing_since is null and h.scope = 'anonymous')
where s.customer_id = $1 and s.id = $2
