update public.tenant_people p set per_user_mfa = i.state
from unnest($3::text[], $4::text[]) as i (external_id, state)
where p.customer_id = $1 and p.tenant_id = $2 and p.external_id = i.external_id and p.per_user_mfa is distinct from i.state
