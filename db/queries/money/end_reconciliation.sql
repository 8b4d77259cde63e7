update public.reconciliations
set state = $2, ended_at = $3, customers_done = $4, customers_skipped = $5, skipped = $6, opened = $7, reopened = $8, closed = $9, differences_open = $10, totals = $11, error = $12
where id = $1 and state = 'running'
