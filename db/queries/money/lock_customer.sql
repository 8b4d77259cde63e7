-- One comparison of a customer at a time.
select pg_advisory_xact_lock(7331018, hashtext($1::uuid::text))
