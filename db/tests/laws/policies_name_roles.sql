-- Every policy names the roles it is for; service_role has no policy unless an operator adds one.
-- broken by: create policy loose_end on public.tickets for select using (true)
-- seen as: public.tickets
-- broken by: create policy loose_end on public.tickets for select to service_role using (true)
-- seen as: public.tickets
select format('%s.%s', schemaname, tablename) as subject, format('policy %s is for %s', policyname, array_to_string(roles, ', ')) as fault
from pg_catalog.pg_policies
where roles && '{public,service_role,authenticator}'::name[]
