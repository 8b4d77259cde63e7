-- What the history keeps of an object that a customer's people may read is what they may see of it now: no column that is hidden from them.
-- broken by: create trigger loose_end after update on public.devices for each row execute function app.keep_change('tenant', 'x', 'name'); revoke select on public.devices from authenticated; grant select (customer_id, id) on public.devices to authenticated
-- seen as: public.devices
select t.tgrelid::regclass::text as subject, format('history keeps %s, which is hidden from customers', a.name) as fault
from pg_catalog.pg_trigger t
cross join lateral string_to_array(encode(t.tgargs, 'escape'), '\000') as x (arguments)
cross join lateral unnest(x.arguments[3:]) as a (name)
where t.tgfoid = to_regprocedure('app.keep_change()') and a.name <> '' and x.arguments[1] not in ('sharepoint_site', 'item')
  and not has_column_privilege('authenticated', t.tgrelid, a.name, 'select')
