-- For one customer: is it visible at all, and does the caller hold the permission there?
select exists (select from public.customers c where c.id = $1) as sees,
       case current_setting('role') when 'staff' then app.has($2) when 'authenticated' then $1 = any (app.customers_with($2)) else false end as may
