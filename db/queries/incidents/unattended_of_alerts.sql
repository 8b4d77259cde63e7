-- Incidents of these alerts that no open run works on.
select i.id, i.state::text as state from public.incidents i
where i.customer_id = $1 and i.alert_id = any ($2) and i.state <> 'resolved'
  and not exists (select from flow.runs r where r.customer_id = i.customer_id and r.id = i.run_id and r.ended_at is null)
