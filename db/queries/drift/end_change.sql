-- The run changed nothing that is proven: the drift is open again and says so. The next evaluation says whether it still is one.
update public.drifts set state = case when denied_at is null then 'open' else 'denied' end, state_text = $4, ticket_id = coalesce($5, ticket_id)
where customer_id = $1 and id = $2 and run_id = $3 and state = 'remediating'
