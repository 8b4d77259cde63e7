-- Renewals whose end is further than any threshold now, renews itself, is another customer's, or is gone ($1: now; role system: keys only).
select r.integration_id, r.kind, r.external_id, r.customer_id, r.ticket_id, e.ends_at, e.customer_id is distinct from r.customer_id as is_gone
from public.expiry_renewals r
left join public.integration_expiries e on e.integration_id = r.integration_id and e.kind = r.kind and e.external_id = r.external_id
where e.customer_id is distinct from r.customer_id or e.renews or e.ends_at > $1::timestamptz + interval '90 days'
order by r.opened_at limit 100
