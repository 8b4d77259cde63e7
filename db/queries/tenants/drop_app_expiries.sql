-- Of tenants that are mapped to another customer, or to none, or that are gone: what ended there is nobody's here.
delete from public.integration_expiries e where e.integration_id = $1 and e.kind in ('app_secret', 'app_certificate')
  and not exists (select from public.integration_organizations o where o.integration_id = e.integration_id and o.external_id = split_part(e.external_id, '/', 1)
    and o.missing_since is null and o.customer_id = e.customer_id)
