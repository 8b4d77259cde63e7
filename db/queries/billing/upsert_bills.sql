-- One customer's bills as just read; returns what became of them.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, account_ref text, number text, billed_at timestamptz, due_at timestamptz, total_amount numeric,
    open_amount numeric, currency text, raw jsonb, content_hash text)
), known as (
  select b.id, b.external_id, b.content_hash = decode(i.content_hash, 'hex') and b.open_amount is not distinct from round(i.open_amount, 2) as is_same
  from input i join public.bills b on b.customer_id = $1 and b.integration_id = $2 and b.external_id = i.external_id
), touched as (
  update public.bills b set observed_at = greatest(b.observed_at, $5), is_complete = $6, seen_in_sync = $4
  from known k where b.customer_id = $1 and b.id = k.id and k.is_same returning b.id
), written as (
  insert into public.bills as b (customer_id, integration_id, external_id, account_ref, number, billed_at, due_at, total_amount, open_amount, currency, raw, content_hash,
    observed_at, is_complete, seen_in_sync)
  select $1, $2, i.external_id, i.account_ref, i.number, i.billed_at, i.due_at, i.total_amount, i.open_amount, i.currency, i.raw, decode(i.content_hash, 'hex'), $5, $6, $4
  from input i where not exists (select from known k where k.external_id = i.external_id and k.is_same)
  on conflict (customer_id, integration_id, external_id) do update
    set account_ref = excluded.account_ref, number = excluded.number, billed_at = excluded.billed_at, due_at = excluded.due_at, total_amount = excluded.total_amount, open_amount = excluded.open_amount,
        currency = excluded.currency, raw = excluded.raw, content_hash = excluded.content_hash, observed_at = greatest(b.observed_at, excluded.observed_at),
        is_complete = excluded.is_complete, seen_in_sync = excluded.seen_in_sync
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged
