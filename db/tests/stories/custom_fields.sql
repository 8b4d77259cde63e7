-- Staff see what technicians wrote.
-- as: staff(technician)
select name, value from public.device_custom_fields
-- gives: 2

-- A customer's own people do not.
-- as: authenticated(portal_admin)
select name from public.device_custom_fields
-- gives: refused

-- A field that holds a secret is not kept, whoever writes it.
-- as: worker(customer)
update public.device_custom_fields set kind = 'text_encrypted'
-- gives: 23514
