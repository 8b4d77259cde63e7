-- Only from a confirmed disappearance: its licenses are free again, and nothing is asked of it.
with gone as (
  update public.tenant_people set missing_since = $4
  where customer_id = $1 and tenant_id = $2 and external_id = any ($3::text[]) and missing_since is null returning id
), licenses as (
  update public.person_licenses l set missing_since = $4 from gone where l.customer_id = $1 and l.person_id = gone.id and l.missing_since is null returning 1
), results as (
  delete from public.mfa_results r using gone where r.customer_id = $1 and r.person_id = gone.id returning 1
)
select (select count(*) from gone) as people
