-- What a tenant answered ($3). What was never proven is not lost; gives each class with its state before.
with input as (
  select i.class, i.is_proven, i.reason, i.permission from jsonb_to_recordset($3::jsonb) as i (class text, is_proven boolean, reason text, permission text)
), before as (
  select c.class, c.state from public.tenant_canaries c where c.integration_id = $1 and c.external_id = $2
), written as (
  insert into public.tenant_canaries as c (integration_id, external_id, class, state, reason, permission, attempted_at, proved_at)
  select $1::uuid, $2::text, i.class, case when i.is_proven then 'proven' else 'never' end, i.reason, i.permission, $4::timestamptz, case when i.is_proven then $4::timestamptz end from input i
  on conflict (integration_id, external_id, class) do update
    set state = case when excluded.state = 'proven' then 'proven' when c.proved_at is null then 'never' else 'failing' end,
        reason = excluded.reason, permission = excluded.permission, attempted_at = excluded.attempted_at,
        proved_at = coalesce(excluded.proved_at, c.proved_at),
        failing_since = case when excluded.state = 'proven' or c.proved_at is null then null else coalesce(c.failing_since, excluded.attempted_at) end
  returning c.class, c.state, c.reason, c.proved_at
)
select w.class, w.state, w.reason, w.proved_at, coalesce(b.state, 'never') as state_before from written w left join before b on b.class = w.class order by w.class
