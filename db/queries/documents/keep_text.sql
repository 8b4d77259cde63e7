-- What came of one file: its text state, where its bytes are, and its words (none: they are forgotten).
with kept as (
  update public.documents d set text_state = $3, text_reason = $4, text_ctag = coalesce($5, ''), sha256 = $6,
    object_id = (select o.id from storage.objects o where o.customer_id = $1 and o.bucket = 'documents' and o.name = $7)
  where d.customer_id = $1 and d.id = $2 returning 1
), forgotten as (
  delete from public.document_texts x where x.customer_id = $1 and x.document_id = $2 and $8::text is null returning 1
), written as (
  insert into public.document_texts as x (customer_id, document_id, text, is_truncated, extracted_at)
  select $1, $2, $8, $9, $10 where $8::text is not null
  on conflict (customer_id, document_id) do update set text = excluded.text, is_truncated = excluded.is_truncated, extracted_at = excluded.extracted_at
  returning 1
)
select (select count(*) from kept) as kept, (select count(*) from written) + (select count(*) from forgotten) as texts
