-- The sites of a tenant that are there, with the parts that were read in this run.
select s.id, s.external_id, s.name, s.reads,
       coalesce((select array_agg(p.part || ':' || p.state) from public.document_site_parts p
         where p.customer_id = s.customer_id and p.site_id = s.id and p.sync_run_id = $3), '{}') as done
from public.document_sites s where s.customer_id = $1 and s.tenant_id = $2 and s.missing_since is null order by s.external_id
