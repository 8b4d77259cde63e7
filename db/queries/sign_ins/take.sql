-- Only for the person who began it, in time, and once.
update public.integration_sign_ins s set expires_at = $3
where s.state_sha256 = $1 and s.person_id = $2 and s.expires_at > $3::timestamptz and s.finished_at is null and s.ended_at is null
returning s.id, s.integration_id, s.credential_id
