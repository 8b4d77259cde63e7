update public.integration_organizations o set domain = i.domain
from unnest($2::text[], $3::text[]) as i (external_id, domain)
where o.integration_id = $1 and o.external_id = i.external_id and i.domain is not null and o.domain is distinct from i.domain
