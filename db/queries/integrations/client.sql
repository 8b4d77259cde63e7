select i.base_url, i.enabled, i.credential_id, coalesce(k.rotated_at, k.created_at) as sealed_at
from public.integrations i left join vault.credentials k on k.id = i.credential_id
where i.id = $1 and i.vendor = $2
