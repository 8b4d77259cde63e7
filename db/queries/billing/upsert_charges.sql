-- One customer's charges; those of bills that are not here are left out. Only what changed is written.
with input as (
  select i.*, b.id as bill_id, l.id as line_id, p.id as product_id
  from jsonb_to_recordset($3::jsonb) as i (external_id text, bill_ref text, line_ref text, product_ref text, name text, quantity numeric, rate numeric, amount numeric,
    currency text, period_start_at timestamptz, period_end_at timestamptz, is_prorated boolean)
  join public.bills b on b.customer_id = $1 and b.integration_id = $2 and b.external_id = i.bill_ref
  left join public.billing_lines l on l.customer_id = $1 and l.integration_id = $2 and l.external_id = i.line_ref
  left join public.billing_products p on p.integration_id = $2 and p.external_id = i.product_ref
)
insert into public.bill_charges as c (customer_id, bill_id, integration_id, external_id, line_id, line_ref, product_id, product_ref, name, quantity, rate, amount, currency,
  period_start_at, period_end_at, is_prorated, observed_at)
select $1, i.bill_id, $2, i.external_id, i.line_id, i.line_ref, i.product_id, i.product_ref, i.name, i.quantity, i.rate, i.amount, i.currency, i.period_start_at,
  i.period_end_at, i.is_prorated, $4
from input i
on conflict (customer_id, integration_id, external_id) do update
  set bill_id = excluded.bill_id, line_id = excluded.line_id, line_ref = excluded.line_ref, product_id = excluded.product_id, product_ref = excluded.product_ref,
      name = excluded.name, quantity = excluded.quantity, rate = excluded.rate, amount = excluded.amount, currency = excluded.currency,
      period_start_at = excluded.period_start_at, period_end_at = excluded.period_end_at, is_prorated = excluded.is_prorated, observed_at = excluded.observed_at
  where (c.bill_id, c.line_id, c.line_ref, c.product_id, c.name, c.quantity, c.rate, c.amount, c.currency, c.period_start_at, c.period_end_at, c.is_prorated)
    is distinct from (excluded.bill_id, excluded.line_id, excluded.line_ref, excluded.product_id, excluded.name, excluded.quantity, excluded.rate, excluded.amount,
      excluded.currency, excluded.period_start_at, excluded.period_end_at, excluded.is_prorated)
