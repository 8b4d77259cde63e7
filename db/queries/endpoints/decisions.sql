select id, verdict, records, facts, reason from public.endpoint_decisions where customer_id = $1 and ended_at is null order by id
