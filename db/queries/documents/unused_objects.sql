-- Files in the store that no document refers to any more. A name begins with the customer and the document: those of another connection's documents are left
-- to it, for it may have kept the bytes and be about to say so.
select o.name from storage.objects o
left join public.documents d on d.customer_id = o.customer_id and d.id = substring(o.name from '^[^/]+/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/')::uuid
left join public.document_sites s on s.customer_id = d.customer_id and s.id = d.site_id
left join public.document_tenants t on t.customer_id = s.customer_id and t.id = s.tenant_id
where o.customer_id = $1 and o.bucket = 'documents' and (d.id is null or t.integration_id = $2)
  and not exists (select from public.documents u where u.customer_id = o.customer_id and u.object_id = o.id) limit 1000
