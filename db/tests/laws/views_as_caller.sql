-- Views run with the caller's rights; nothing keeps a copy of rows outside the policies.
-- broken by: create view public.loose_views as select 1 as one
-- seen as: public.loose_views
-- broken by: create materialized view public.loose_views as select 1 as one
-- seen as: public.loose_views
select format('%s.%s', n.nspname, c.relname) as subject,
       case c.relkind when 'v' then 'is not security_invoker' when 'm' then 'is materialized' else 'is a foreign table' end as fault
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (c.relkind in ('m', 'f') or c.relkind = 'v' and not coalesce(c.reloptions && '{security_invoker=true,security_invoker=on}', false))
