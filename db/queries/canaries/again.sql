-- Nothing was learned: its turn comes again sooner.
update public.tenant_canaries set attempted_at = $3 where integration_id = $1 and external_id = $2 and class = 'access'
