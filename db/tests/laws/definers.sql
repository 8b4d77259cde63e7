-- A definer function sets an empty search_path, lives outside public, and its comment says why it must be one.
-- broken by: create function app.loose_end() returns int language sql security definer as 'select 1'; comment on function app.loose_end() is 'Definer: a test.'
-- seen as: app.loose_end()
-- broken by: create function public.loose_end() returns int language sql security definer set search_path = '' as 'select 1'; comment on function public.loose_end() is 'Definer: a test.'
-- seen as: public.loose_end()
-- broken by: create function app.loose_end() returns int language sql security definer set search_path = '' as 'select 1'
-- seen as: app.loose_end()
select p.oid::regprocedure::text as subject,
       concat_ws(', ',
         case when n.nspname = 'public' then 'lives in public' end,
         case when not coalesce(p.proconfig @> '{"search_path=\"\""}', false) then 'does not set an empty search_path' end,
         case when coalesce(obj_description(p.oid, 'pg_proc'), '') !~ '^Definer: .{10}' then 'its comment does not say why ("Definer: …")' end) as fault
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where p.prosecdef and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and (n.nspname = 'public' or not coalesce(p.proconfig @> '{"search_path=\"\""}', false)
    or coalesce(obj_description(p.oid, 'pg_proc'), '') !~ '^Definer: .{10}')
