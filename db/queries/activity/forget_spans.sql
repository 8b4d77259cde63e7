-- Nothing older than $4 is kept, so that nothing older is called read.
with gone as (
  delete from public.activity_spans where customer_id = $1 and tenant_id = $2 and stream = $3 and to_at <= $4
)
update public.activity_spans set from_at = $4 where customer_id = $1 and tenant_id = $2 and stream = $3 and from_at < $4 and to_at > $4
