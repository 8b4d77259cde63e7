-- One difference with its line, as an approval and a run need it. `for update`: two clicks take turns.
select d.id, d.rule_id, r.name as rule_name, d.product_id, p.name as product_name, d.state, d.counted::text as counted, d.billed::text as billed, d.difference::text as difference,
       d.rate::text as rate, d.money_per_month::text as money_per_month, d.currency, d.cause_text, d.stale_reason, d.run_id,
       d.committed_until, d.committed_quantity::text as committed_quantity, d.commitment_kind, d.committed_money::text as committed_money,
       l.id as line_id, l.external_id as line_ref, l.account_ref, l.integration_id, l.name as line_name, l.quantity::text as line_quantity, l.is_active as line_is_active,
       l.missing_since as line_missing_since,
       c.name as customer_name
from public.count_differences d
join public.count_rules r on r.id = d.rule_id
join public.billing_products p on p.id = d.product_id
join public.customers c on c.id = d.customer_id
left join public.billing_lines l on l.customer_id = d.customer_id and l.id = d.line_id
where d.customer_id = $1 and d.id = $2
for update of d
