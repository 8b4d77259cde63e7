-- Of tenants that were read and have no end of access, and of tenants that are gone for sure.
delete from public.integration_expiries e where e.integration_id = $1 and e.kind = 'gdap'
  and (e.external_id = any ($2::text[])
       or exists (select from public.integration_organizations o where o.integration_id = e.integration_id and o.external_id = e.external_id and o.missing_since is not null))
