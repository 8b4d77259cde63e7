-- Since the last complete full reading began: was an organization mapped, or has a customer with devices lost its last one?
-- Then devices come and go only with a full reading (role system: keys only).
select exists (
  select from public.integration_organizations o
  where o.integration_id = $1 and o.missing_since is null
    and o.mapped_at > coalesce((
      select r.started_at from public.sync_runs r
      where r.integration_id = $1 and r.kind = 'full'
        and (r.state = 'complete' or r.state = 'partial' and exists (select from public.integrations i where i.id = $1 and i.vendor in ('microsoft', 'cipp', 'sharepoint'))) order by r.queued_at desc limit 1), '-infinity'))
  or exists (
  select from public.devices d
  where d.integration_id = $1 and d.missing_since is null
    and not exists (select from public.integration_organizations o where o.integration_id = $1 and o.customer_id = d.customer_id)) as changed
