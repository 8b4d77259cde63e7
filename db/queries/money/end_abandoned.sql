-- Its process ended in the middle; what it had written for each customer is whole.
update public.reconciliations set state = 'failed', ended_at = $1, error = 'its process ended' where state = 'running' and started_at < $1::timestamptz - interval '15 minutes'
