-- Tenants that are no longer this customer's: nothing of them counts here any more.
with gone as (
  update public.tenants set missing_since = $3 where customer_id = $1 and id = any ($2::uuid[]) and missing_since is null returning id, external_id
), people as (
  update public.tenant_people p set missing_since = $3 from gone where p.customer_id = $1 and p.tenant_id = gone.id and p.missing_since is null returning p.id
), licenses as (
  update public.person_licenses l set missing_since = $3 from people where l.customer_id = $1 and l.person_id = people.id and l.missing_since is null returning 1
), skus as (
  update public.license_skus s set missing_since = $3 from gone where s.customer_id = $1 and s.tenant_id = gone.id and s.missing_since is null returning 1
), policies as (
  update public.access_policies a set missing_since = $3 from gone where a.customer_id = $1 and a.tenant_id = gone.id and a.missing_since is null returning 1
), managed as (
  update public.managed_devices m set missing_since = $3 from gone where m.customer_id = $1 and m.tenant_id = gone.id and m.missing_since is null returning 1
), credentials as (
  update public.tenant_app_credentials c set missing_since = $3 from gone where c.customer_id = $1 and c.tenant_id = gone.id and c.missing_since is null returning 1
), results as (
  delete from public.mfa_results r using gone where r.customer_id = $1 and r.tenant_id = gone.id returning 1
), facts as (
  delete from public.access_facts f using gone where f.customer_id = $1 and f.tenant_id = gone.id returning 1
), changes as (
  delete from public.directory_changes e using gone where e.customer_id = $1 and e.tenant_id = gone.id returning 1
), sign_ins as (
  delete from public.tenant_sign_ins e using gone where e.customer_id = $1 and e.tenant_id = gone.id returning 1
), spans as (
  delete from public.activity_spans e using gone where e.customer_id = $1 and e.tenant_id = gone.id returning 1
), alerts as (
  update public.alerts a set state = 'resolved', resolved_at = $3 from gone
  where a.customer_id = $1 and a.source = 'microsoft' and starts_with(a.dedup_key, 'microsoft:' || gone.external_id || ':') and a.state <> 'resolved' returning 1
), cursors as (
  delete from public.tenant_cursors x using gone where x.customer_id = $1 and x.tenant_id = gone.id returning 1
), parts as (
  delete from public.tenant_parts a using gone where a.customer_id = $1 and a.tenant_id = gone.id returning 1
)
select (select count(*) from people) as people
