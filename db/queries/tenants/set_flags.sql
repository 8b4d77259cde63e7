-- What is not said stays as it was.
update public.tenants t set has_premium = coalesce($3, t.has_premium), security_defaults = coalesce($4, t.security_defaults)
where customer_id = $1 and id = $2
  and (t.has_premium, t.security_defaults) is distinct from (coalesce($3, t.has_premium), coalesce($4, t.security_defaults))
