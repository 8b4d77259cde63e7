update public.tenant_people p set methods = i.methods, mfa_registered = i.mfa_registered
from jsonb_to_recordset($3::jsonb) as i (external_id text, methods text[], mfa_registered boolean)
where p.customer_id = $1 and p.tenant_id = $2 and p.external_id = i.external_id
  and (p.methods, p.mfa_registered) is distinct from (i.methods, i.mfa_registered)
