-- Sign-ins of a tenant as just read ($3); what is known stays as it is, but for the risk, which the vendor works out later. $5: what happened before it and is new
-- came late.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, happened_at timestamptz, user_external text, user_name text, user_principal_name text, app_name text,
    client_app text, ip_address text, city text, country text, device_name text, operating_system text, outcome text, error_code integer, reason text, conditional_access text, risk text)
), written as (
  insert into public.tenant_sign_ins as s (customer_id, tenant_id, external_id, happened_at, user_external, user_name, user_principal_name, app_name, client_app, ip_address, city,
    country, device_name, operating_system, outcome, error_code, reason, conditional_access, risk, observed_at)
  select $1, $2, i.external_id, i.happened_at, i.user_external, i.user_name, i.user_principal_name, i.app_name, i.client_app, i.ip_address, i.city,
    i.country, i.device_name, i.operating_system, i.outcome, i.error_code, i.reason, i.conditional_access, i.risk, $4
  from input i
  on conflict (customer_id, tenant_id, external_id) do update set risk = excluded.risk where s.risk is distinct from excluded.risk
  returning happened_at, xmax = 0 as is_new
)
select count(*) filter (where is_new) as created, count(*) filter (where is_new and happened_at < $5::timestamptz) as late from written
