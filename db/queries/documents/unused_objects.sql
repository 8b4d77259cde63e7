-- Files in the store that no document refers to any more.
select o.name from storage.objects o where o.customer_id = $1 and o.bucket = 'documents'
  and not exists (select from public.documents d where d.customer_id = o.customer_id and d.object_id = o.id) limit 1000
