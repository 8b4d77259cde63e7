insert into public.access_facts as f (customer_id, tenant_id, kind, facts, observed_at) values ($1, $2, $3, $4, $5)
on conflict (customer_id, tenant_id, kind) do update set facts = excluded.facts, observed_at = excluded.observed_at
