-- Tenants that are no longer this customer's, or not at the vendor any more: nothing of them counts here.
with gone as (
  update public.cipp_tenants set missing_since = $3 where customer_id = $1 and id = any ($2::uuid[]) and missing_since is null returning id
), settings as (
  update public.tenant_settings s set missing_since = $3 from gone where s.customer_id = $1 and s.cipp_tenant_id = gone.id and s.missing_since is null returning 1
), domains as (
  update public.tenant_mail_domains d set missing_since = $3 from gone where d.customer_id = $1 and d.cipp_tenant_id = gone.id and d.missing_since is null returning 1
), forwardings as (
  update public.mailbox_forwardings f set missing_since = $3 from gone where f.customer_id = $1 and f.cipp_tenant_id = gone.id and f.missing_since is null returning 1
), alerts as (
  update public.alerts a set state = 'resolved', resolved_at = $3 from gone
  where a.customer_id = $1 and a.source = 'cipp' and starts_with(a.dedup_key, 'cipp:' || gone.id || ':') and a.state <> 'resolved' returning 1
), parts as (
  delete from public.cipp_tenant_parts a using gone where a.customer_id = $1 and a.cipp_tenant_id = gone.id returning 1
)
select (select count(*) from settings) as settings
