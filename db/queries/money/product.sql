select p.id as product_id, p.integration_id, p.name as product_name, p.rate::text as product_rate, p.currency from public.billing_products p where p.id = $1
