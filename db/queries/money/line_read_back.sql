-- A reading of one line that proved its new quantity; an older list does not take it back.
update public.billing_lines set quantity = $3::text::numeric, quantity_changed_at = $4, observed_at = greatest(observed_at, $4) where customer_id = $1 and id = $2
