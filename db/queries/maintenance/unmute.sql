update public.alert_mutes set ended_at = $3, outcome = $4, ended_by = $5 where customer_id = $1 and id = $2 and ended_at is null
