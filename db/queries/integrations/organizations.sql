select external_id, name, customer_id, devices_seen, mapped_at, missing_since, domain from public.integration_organizations
where integration_id = $1 order by external_id
