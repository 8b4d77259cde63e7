delete from public.directory_changes where customer_id = $1 and id in (
  select id from public.directory_changes where customer_id = $1 and tenant_id = $2 and happened_at < $3 order by happened_at limit $4)
