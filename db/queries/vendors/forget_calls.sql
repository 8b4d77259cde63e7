delete from public.vendor_calls where hour < $1
