-- $4: null forgets it.
with forgotten as (
  delete from public.tenant_cursors where customer_id = $1 and tenant_id = $2 and part = $3 and $4::text is null
)
insert into public.tenant_cursors (customer_id, tenant_id, part, link, kept_at) select $1, $2, $3, $4, $5 where $4::text is not null
on conflict (customer_id, tenant_id, part) do update set link = excluded.link, kept_at = excluded.kept_at
