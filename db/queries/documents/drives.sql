select r.id, r.external_id, r.delta_link, r.round_id, r.round_is_full, r.full_round_id, case when r.round_run_id = $3 then r.round_link end as round_link,
       coalesce(r.round_run_id = $3 and r.round_is_done, false) as is_done
from public.document_drives r where r.customer_id = $1 and r.site_id = $2 and r.missing_since is null order by r.external_id
