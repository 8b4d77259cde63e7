-- One customer's payments as just read; returns what became of them.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, account_ref text, reference text, amount numeric, currency text, status text, paid_at timestamptz,
    raw jsonb, content_hash text)
), known as (
  select p.id, p.external_id, p.content_hash = decode(i.content_hash, 'hex') as is_same
  from input i join public.payments p on p.customer_id = $1 and p.integration_id = $2 and p.external_id = i.external_id
), touched as (
  update public.payments p set observed_at = greatest(p.observed_at, $5), is_complete = $6, seen_in_sync = $4
  from known k where p.customer_id = $1 and p.id = k.id and k.is_same returning p.id
), written as (
  insert into public.payments as p (customer_id, integration_id, external_id, account_ref, reference, amount, currency, status, paid_at, raw, content_hash, observed_at, is_complete,
    seen_in_sync)
  select $1, $2, i.external_id, i.account_ref, i.reference, i.amount, i.currency, i.status, i.paid_at, i.raw, decode(i.content_hash, 'hex'), $5, $6, $4
  from input i where not exists (select from known k where k.external_id = i.external_id and k.is_same)
  on conflict (customer_id, integration_id, external_id) do update
    set account_ref = excluded.account_ref, reference = excluded.reference, amount = excluded.amount, currency = excluded.currency, status = excluded.status,
        paid_at = excluded.paid_at, raw = excluded.raw, content_hash = excluded.content_hash, observed_at = greatest(p.observed_at, excluded.observed_at),
        is_complete = excluded.is_complete, seen_in_sync = excluded.seen_in_sync
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged
