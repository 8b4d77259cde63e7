select i.base_url, i.enabled, i.credential_id, coalesce(k.rotated_at, k.created_at) as sealed_at, s.id as sign_in_id, s.credential_id as sign_in_credential_id
from public.integrations i
left join vault.credentials k on k.id = i.credential_id
left join public.integration_sign_ins s on s.integration_id = i.id and s.finished_at is not null and s.ended_at is null
where i.id = $1 and i.vendor = $2
