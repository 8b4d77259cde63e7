-- What ends of one tenant's applications ($3: its id at the vendor), as a complete reading shows it. Who was told of which end stays.
with input as (
  select i.kind, $3 || '/' || i.external_id as external_id, i.subject, i.ends_at from jsonb_to_recordset($4::jsonb) as i (kind text, external_id text, subject text, ends_at timestamptz)
), over as (
  delete from public.integration_expiries e where e.integration_id = $1 and e.kind in ('app_secret', 'app_certificate') and starts_with(e.external_id, $3 || '/')
    and not exists (select from input i where i.kind = e.kind and i.external_id = e.external_id) returning 1
)
insert into public.integration_expiries as e (integration_id, kind, external_id, customer_id, subject, ends_at, renews, source, observed_at)
select $1, i.kind, i.external_id, $2, i.subject, i.ends_at, false, 'microsoft', $5 from input i
on conflict (integration_id, kind, external_id) do update
  set customer_id = excluded.customer_id, subject = excluded.subject, ends_at = excluded.ends_at, renews = excluded.renews, observed_at = greatest(e.observed_at, excluded.observed_at)
