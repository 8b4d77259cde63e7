select app.protect('public.customers', 'customers', '{select,update}', 'id');
-- Only the provider's people make customers: nobody is a member of one that does not exist yet.
create policy staff_insert on public.customers for insert to staff with check ((select app.has('customers:write')));
grant insert on public.customers to staff;
revoke insert, update, delete on public.customers from worker;
select app.open_to_system('public.customers', 'select, insert');
select app.protect('public.sites', 'sites');
select app.watch('public.customers'), app.watch('public.sites');
