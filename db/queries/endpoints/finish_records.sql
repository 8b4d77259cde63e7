-- Records that are of another machine now, or of none: this part of their history is over.
update public.endpoint_records r set ended_at = $3
where r.customer_id = $1 and r.ended_at is null
  and not exists (select from jsonb_to_recordset($2::jsonb) as i (endpoint_id uuid, device_id uuid, managed_device_id uuid)
    where i.endpoint_id = r.endpoint_id and (i.device_id = r.device_id or i.managed_device_id = r.managed_device_id))
