-- How far a stream ($3) of a tenant is settled: read, or known to be lost; and since when it is open.
select min(s.from_at) filter (where s.state = 'read') as read_from, max(s.to_at) filter (where s.state <> 'gap') as settled_to, min(s.from_at) filter (where s.state = 'gap') as gap_from
from public.activity_spans s where s.customer_id = $1 and s.tenant_id = $2 and s.stream = $3
