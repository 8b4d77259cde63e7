update public.tickets
set escalated_at = coalesce(escalated_at, $3), escalation_reason = coalesce(escalation_reason, $4),
    priority = case priority when 'p4' then 'p3' when 'p3' then 'p2' else 'p1' end::public.ticket_priority
where customer_id = $1 and id = $2 and state <> 'closed'
