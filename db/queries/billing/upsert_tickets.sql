-- One customer's tickets as just read; returns what became of them.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, account_ref text, subject text, status text, opened_at timestamptz, closed_at timestamptz, raw jsonb,
    content_hash text)
), known as (
  select t.id, t.external_id, t.content_hash = decode(i.content_hash, 'hex') as is_same
  from input i join public.billing_tickets t on t.customer_id = $1 and t.integration_id = $2 and t.external_id = i.external_id
), touched as (
  update public.billing_tickets t set observed_at = greatest(t.observed_at, $5), is_complete = $6, seen_in_sync = $4
  from known k where t.customer_id = $1 and t.id = k.id and k.is_same returning t.id
), written as (
  insert into public.billing_tickets as t (customer_id, integration_id, external_id, account_ref, subject, status, opened_at, closed_at, raw, content_hash, observed_at,
    is_complete, seen_in_sync)
  select $1, $2, i.external_id, i.account_ref, i.subject, i.status, i.opened_at, i.closed_at, i.raw, decode(i.content_hash, 'hex'), $5, $6, $4
  from input i where not exists (select from known k where k.external_id = i.external_id and k.is_same)
  on conflict (customer_id, integration_id, external_id) do update
    set account_ref = excluded.account_ref, subject = excluded.subject, status = excluded.status, opened_at = excluded.opened_at, closed_at = excluded.closed_at,
        raw = excluded.raw, content_hash = excluded.content_hash, observed_at = greatest(t.observed_at, excluded.observed_at), is_complete = excluded.is_complete,
        seen_in_sync = excluded.seen_in_sync
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged
