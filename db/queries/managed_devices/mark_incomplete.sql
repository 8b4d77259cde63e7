-- The last list of this tenant was not whole: what is known of its devices may lack something.
update public.managed_devices set is_complete = false where customer_id = $1 and tenant_id = $2 and missing_since is null and is_complete
