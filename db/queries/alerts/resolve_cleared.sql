-- Resolves the alerts of a device and kind that have no open condition left.
update public.alerts a set state = 'resolved', resolved_at = $4
where a.customer_id = $1 and a.device_id = $2 and a.kind = $3 and a.state <> 'resolved'
  and not exists (select from public.device_conditions c
    where c.customer_id = a.customer_id and c.device_id = a.device_id and c.kind = a.kind and c.cleared_at is null)
returning a.id
