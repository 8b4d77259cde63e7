-- Accounts whose second factors (by $3: methods or per_user_mfa) are asked for one by one: all, or those that were never read.
select external_id from public.tenant_people
where customer_id = $1 and tenant_id = $2 and missing_since is null
  and ($4::boolean or case when $3 = 'methods' then methods is null else per_user_mfa is null end)
order by external_id
