-- Of a tenant that is nobody's here any more nothing is shown.
delete from public.posture_checks where customer_id = $1 and posture_tenant_id = $2
