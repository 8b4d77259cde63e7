-- A policy for people or background work that lets rows be written says which rows may come out of it: no `with check (true)`
-- on a table whose rows belong to a customer, except for `system` and `owner`.
-- broken by: create policy loose_end on public.tickets for insert to worker with check (true)
-- seen as: public.tickets
-- broken by: create policy loose_end on public.tickets for all to staff using (true)
-- seen as: public.tickets
select format('%s.%s', p.schemaname, p.tablename) as subject, format('policy %s lets any row be written', p.policyname) as fault
from pg_catalog.pg_policies p
join pg_catalog.pg_attribute a on a.attrelid = format('%I.%I', p.schemaname, p.tablename)::regclass and a.attname = 'customer_id' and a.attnotnull
where p.cmd in ('ALL', 'INSERT', 'UPDATE') and p.permissive = 'PERMISSIVE' and not p.roles <@ '{system,owner}'::name[]
  and coalesce(p.with_check, p.qual) = 'true'
