-- Tenants that are no longer this customer's: everything of them goes, for it is shown at another one or at none.
with gone as (
  update public.document_tenants set missing_since = $3, state = 'never', reason = null, permission = null, sync_run_id = null
  where customer_id = $1 and id = any ($2::uuid[]) and missing_since is null returning id
), sites as (
  delete from public.document_sites s using gone where s.customer_id = $1 and s.tenant_id = gone.id returning 1
)
select count(*) as sites from sites
