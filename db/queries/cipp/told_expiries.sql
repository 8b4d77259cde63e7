update public.integration_expiries e set told_days = i.days, told_ends_at = e.ends_at
from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[]) as i (integration_id, kind, external_id, days)
where e.integration_id = i.integration_id and e.kind = i.kind and e.external_id = i.external_id
