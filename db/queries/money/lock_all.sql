-- One comparison of all customers at a time.
select pg_try_advisory_xact_lock(7331018, 0) as is_mine
