-- Whether an integration of this vendor ($1) points to this address ($2) already.
select exists (select from public.integrations where vendor = $1 and base_url = $2) as is_used
