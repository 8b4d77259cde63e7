update public.integration_organizations o set account_number = i.number
from unnest($2::text[], $3::text[]) as i (external_id, number)
where o.integration_id = $1 and o.external_id = i.external_id and o.account_number is distinct from i.number
