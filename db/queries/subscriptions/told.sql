-- $3: the tenant is to be read, and the subscription renewed or made anew.
update public.tenant_subscriptions
  set due_at = coalesce(due_at, $5), told_at = $5, told_count = told_count + $4, missed_count = missed_count + case when $3 = 'missed' then 1 else 0 end,
      renew_now = renew_now or $3 = 'renew',
      external_id = case when $3 = 'removed' then null else external_id end, expires_at = case when $3 = 'removed' then null else expires_at end
where integration_id = $1 and tenant_external = $2
