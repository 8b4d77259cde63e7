-- Stopping in order: the next worker need not wait for the lease.
update public.sync_runs set lease_until = now() - interval '1 second' where id = $1 and lease_owner = $2 and state = 'running'
