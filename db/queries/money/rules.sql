select r.id, r.name, r.billing_product_id as product_id, p.integration_id, p.name as product_name, p.rate::text as product_rate, p.currency, r.counts, r.device_classes,
       r.approved_only, r.sku_ids, r.seat_basis, r.multiplier::text as multiplier
from public.count_rules r join public.billing_products p on p.id = r.billing_product_id
where r.enabled order by r.name
