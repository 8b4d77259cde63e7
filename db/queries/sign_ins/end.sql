-- Those of the integration, one that was only begun included, except $2.
update public.integration_sign_ins set ended_at = $3 where integration_id = $1 and ended_at is null and id is distinct from $2::uuid returning credential_id
