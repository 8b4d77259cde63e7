-- What ends, as just read. Who was told of which end stays.
insert into public.integration_expiries as e (integration_id, kind, external_id, customer_id, subject, ends_at, renews, source, observed_at, last_proved_at)
select $1, 'gdap', i.external_id, i.customer_id, i.subject, i.ends_at, i.renews, 'cipp', $3, i.proved_at
from jsonb_to_recordset($2::jsonb) as i (external_id text, customer_id uuid, subject text, ends_at timestamptz, renews boolean, proved_at timestamptz)
on conflict (integration_id, kind, external_id) do update
  set customer_id = excluded.customer_id, subject = excluded.subject, ends_at = excluded.ends_at, renews = excluded.renews, source = excluded.source,
      observed_at = greatest(e.observed_at, excluded.observed_at), last_proved_at = coalesce(excluded.last_proved_at, e.last_proved_at)
