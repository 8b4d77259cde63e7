update public.alert_mutes set ended_at = $3, outcome = 'cleared' where customer_id = $1 and alert_id = any ($2) and ended_at is null
