delete from public.reconciliations where started_at < $1::timestamptz - interval '90 days'
