insert into public.mfa_exceptions (customer_id, person_id, reason, until, created_by, created_at) values ($1, $2, $3, $4, $5, $6) returning id
