-- One customer's lines as just read; returns what became of them. When a quantity changes, that moment is kept.
with input as (
  select i.*, p.id as product_id
  from jsonb_to_recordset($3::jsonb) as i (external_id text, account_ref text, product_ref text, name text, quantity numeric, rate numeric, cost numeric, currency text, status text,
    is_active boolean, activated_at timestamptz, billed_through_at timestamptz, contract_end_at timestamptz, disconnected_at timestamptz, updated_at timestamptz, raw jsonb, content_hash text)
  left join public.billing_products p on p.integration_id = $2 and p.external_id = i.product_ref
), known as (
  select l.id, l.external_id, l.content_hash = decode(i.content_hash, 'hex') and l.product_id is not distinct from i.product_id as is_same,
         l.missing_since is not null as was_missing
  from input i join public.billing_lines l on l.customer_id = $1 and l.integration_id = $2 and l.external_id = i.external_id
), touched as (
  update public.billing_lines l set observed_at = greatest(l.observed_at, $5), is_complete = $6, seen_in_sync = $4, missing_since = null
  from known k where l.customer_id = $1 and l.id = k.id and k.is_same returning k.was_missing
), written as (
  insert into public.billing_lines as l (customer_id, integration_id, external_id, account_ref, product_id, product_ref, name, quantity, rate, cost, currency, status, is_active,
    activated_at, billed_through_at, contract_end_at, disconnected_at, updated_at, raw, content_hash, observed_at, is_complete, seen_in_sync)
  select $1, $2, i.external_id, i.account_ref, i.product_id, i.product_ref, i.name, i.quantity, i.rate, i.cost, i.currency, i.status, i.is_active,
    i.activated_at, i.billed_through_at, i.contract_end_at, i.disconnected_at, i.updated_at, i.raw, decode(i.content_hash, 'hex'), $5, $6, $4
  from input i where not exists (select from known k where k.external_id = i.external_id and k.is_same)
  on conflict (customer_id, integration_id, external_id) do update
    set account_ref = excluded.account_ref, product_id = excluded.product_id, product_ref = excluded.product_ref, name = excluded.name, quantity = excluded.quantity,
        rate = excluded.rate, cost = excluded.cost, currency = excluded.currency, status = excluded.status, is_active = excluded.is_active, activated_at = excluded.activated_at,
        billed_through_at = excluded.billed_through_at, contract_end_at = excluded.contract_end_at, disconnected_at = excluded.disconnected_at, updated_at = excluded.updated_at, raw = excluded.raw,
        content_hash = excluded.content_hash, observed_at = greatest(l.observed_at, excluded.observed_at), is_complete = excluded.is_complete,
        seen_in_sync = excluded.seen_in_sync, missing_since = null,
        quantity_changed_at = case when l.quantity is distinct from excluded.quantity then excluded.observed_at else l.quantity_changed_at end
    -- A list that was read before a change was read back says nothing of it.
    where l.observed_at <= excluded.observed_at
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created,
       (select count(*) from written where not is_new) + (select count(*) from touched where was_missing) as updated,
       (select count(*) from touched where not was_missing) as unchanged
