-- A new decision. It takes the place of older ones about the same records, and of those that say the opposite of some of them.
with over as (
  update public.endpoint_decisions d set ended_at = $7, ended_by = $6, end_reason = 'A newer decision took its place.'
  where d.customer_id = $1 and d.ended_at is null and d.records <@ $3::uuid[] and (d.verdict <> $2 or d.records @> $3::uuid[])
  returning 1
)
insert into public.endpoint_decisions (customer_id, verdict, records, facts, reason, created_by, created_at)
select $1, $2, $3, $4, $5, $6, $7 from (select count(*) from over) x returning id
