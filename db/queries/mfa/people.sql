-- Accounts that are there ($3: only this one), each with the exception that is in force for it.
select p.id, p.external_id, p.user_principal_name, p.display_name, p.user_type, p.account_enabled, p.created_in_vendor_at, p.is_admin, p.methods, p.mfa_registered, p.per_user_mfa,
       x.reason as accepted_reason, x.until as accepted_until
from public.tenant_people p
left join public.mfa_exceptions x on x.customer_id = p.customer_id and x.person_id = p.id and x.ended_at is null
where p.customer_id = $1 and p.tenant_id = $2 and p.missing_since is null and ($3::uuid is null or p.id = $3)
order by p.id
