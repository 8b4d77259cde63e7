-- Runs of drifts of this customer that are under way, but for one.
select count(*)::integer as runs from public.drifts where customer_id = $1 and state = 'remediating' and run_id is distinct from $2
