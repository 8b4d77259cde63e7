-- Customers that the caller sees, with their names.
select c.id, c.name from public.customers c
where exists (select from public.integration_organizations o where o.customer_id = c.id) order by c.name, c.id
