-- A stream ($3) was read, or is lost ($4), from $5 to $6: the span that ends there grows, or a new one begins.
with grown as (
  update public.activity_spans s
    set to_at = greatest(s.to_at, $6), event_count = s.event_count + $7, late_count = s.late_count + $8, attempted_at = $9, reason = $10
  where s.customer_id = $1 and s.tenant_id = $2 and s.stream = $3 and s.state = $4 and s.to_at >= $5
    and s.id = (select l.id from public.activity_spans l where l.customer_id = $1 and l.tenant_id = $2 and l.stream = $3 and l.state <> 'gap' order by l.to_at desc, l.id desc limit 1)
  returning 1
)
insert into public.activity_spans (customer_id, tenant_id, stream, state, from_at, to_at, event_count, late_count, attempted_at, reason)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 where not exists (select from grown)
