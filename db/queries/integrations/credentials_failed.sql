-- The first to notice writes it down; no row: it is known. People are told when it is news: not for a while ($4 seconds), or with another
-- problem, or of other credentials. A vendor that refuses some calls and takes others would be news all day.
update public.integrations i
set credentials_failed_at = $2, credentials_problem = $3, credentials_told_at = case when seen.is_news then $2 else i.credentials_told_at end
from (
  select o.id, coalesce(o.credentials_told_at < $2::timestamptz - make_interval(secs => $4), true) or o.credentials_problem is distinct from $3
      or coalesce(coalesce(k.rotated_at, k.created_at) > o.credentials_told_at, false) as is_news
  from public.integrations o left join vault.credentials k on k.id = o.credential_id where o.id = $1) seen
where i.id = seen.id and i.credentials_failed_at is null
returning i.name, seen.is_news
