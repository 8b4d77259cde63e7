-- One at a time per customer: two synchronizations and a person may want to.
select pg_advisory_xact_lock(7331024, hashtext($1::uuid::text))
