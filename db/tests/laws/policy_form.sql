-- Helpers in a policy are wrapped in a scalar sub-select (evaluated once per statement), and a set of customers is an array:
-- `customer_id = any ((select app.customers_with('…'))::uuid[])`. A plain call runs per row; `in (select …)` reads the whole table.
-- The engine's own tables may compare with `app.worker_customer()` as it is (docs/adr/0031-the-engine-stays-in-its-lane.md).
-- broken by: create policy loose_end on flow.runs for select to worker using (customer_id = app.worker_customer() or app.has('runs:read'))
-- seen as: flow.runs
-- broken by: create policy loose_end on public.tickets for select to worker using (customer_id = app.worker_customer())
-- seen as: public.tickets
-- broken by: create policy loose_end on public.tickets for select to staff using (app.has('tickets:read'))
-- seen as: public.tickets
-- broken by: create policy loose_end on public.tickets for insert to staff with check (app.has('tickets:read'))
-- seen as: public.tickets
-- broken by: create policy loose_end on public.tickets for select to authenticated using (customer_id in (select unnest(app.customers_with('tickets:read'))))
-- seen as: public.tickets
-- broken by: create policy loose_end on public.tickets for select to authenticated using (customer_id = any (select m.customer_id from public.memberships m))
-- seen as: public.tickets
-- broken by: create policy loose_end on public.tickets for select to authenticated using (exists (select from public.memberships m where m.customer_id = tickets.customer_id))
-- seen as: public.tickets
with texts as (
  select format('%s.%s', schemaname, tablename) as subject, policyname, text
  from pg_catalog.pg_policies, unnest(array[qual, with_check]) as text
  where text is not null and not (schemaname = 'flow' and text = '(customer_id = app.worker_customer())')
)
select subject, format('policy %s calls a helper per row: %s', policyname, text) as fault from texts
where regexp_replace(text, '\( SELECT app\.\w+\(', '', 'g') ~ '\mapp\.\w+\(' or text ~ '\mcurrent_setting\('
union all
select subject, format('policy %s has a sub-query per row: %s', policyname, text) from texts
where text ~ '\m(IN|EXISTS|ANY|ALL) \(\s*SELECT'
