-- Ends of our own credentials, as people entered them.
with over as (
  delete from public.integration_expiries e where e.kind = 'secret' and e.external_id = 'own'
    and not exists (select from public.integrations i where i.id = e.integration_id and i.enabled and i.credentials_end_at is not null) returning 1
)
insert into public.integration_expiries as e (integration_id, kind, external_id, subject, ends_at, renews, source, observed_at, last_proved_at)
select i.id, 'secret', 'own', 'Credentials of ' || i.name, i.credentials_end_at, false, 'person', $1,
  (select max(r.ended_at) from public.sync_runs r where r.integration_id = i.id and r.state in ('complete', 'partial'))
from public.integrations i where i.enabled and i.credentials_end_at is not null
on conflict (integration_id, kind, external_id) do update
  set subject = excluded.subject, ends_at = excluded.ends_at, observed_at = excluded.observed_at, last_proved_at = coalesce(excluded.last_proved_at, e.last_proved_at)
