-- What a comparison of one customer ($1) stands on, at one moment: each source with what is wrong with its last reading ($2: now; null: nothing is wrong),
-- devices of the classes $3, seats of the licenses $5, lines of the products $4, and what is known already. Of Microsoft 365 only the customer's own tenants
-- matter: one that another customer's tenant keeps from being complete is no reason.
with mapped as (
  select o.integration_id, i.vendor, i.name, i.enabled, i.sync_interval_s, i.full_sync_interval_s, max(o.mapped_at) as mapped_at
  from public.integration_organizations o join public.integrations i on i.id = o.integration_id
  where o.customer_id = $1 and o.missing_since is null group by 1, 2, 3, 4, 5, 6
), own_tenants as (
  select m.integration_id, min(known.observed_at) as observed_at, (array_agg(known.problem order by o.external_id) filter (where known.problem is not null))[1] as problem
  from mapped m
  join public.integration_organizations o on o.integration_id = m.integration_id and o.customer_id = $1 and o.missing_since is null
  left join public.tenants t on t.customer_id = $1 and t.integration_id = o.integration_id and t.external_id = o.external_id and t.missing_since is null
  left join lateral (
    select count(*) as parts, min(a.reason) filter (where a.state <> 'complete') as fault, min(a.observed_at) as observed_at
    from public.tenant_parts a where a.customer_id = $1 and a.tenant_id = t.id and a.part in ('seats', 'people')) read on true
  cross join lateral (
    select read.observed_at, case
      when read.parts = 0 then coalesce(t.name, o.name) || ' was never read'
      when read.parts < 2 or read.fault is not null then 'the last reading of ' || coalesce(t.name, o.name) || ' was not complete' || coalesce(': ' || read.fault, '')
      when m.mapped_at > read.observed_at then 'an account was mapped after ' || m.name || ' was read'
      when app.access_lost_since(o.integration_id, o.external_id) is not null then coalesce(t.name, o.name) || ' no longer lets the application in'
      when read.observed_at + app.source_stale_after(m.sync_interval_s) < $2::timestamptz then coalesce(t.name, o.name) || ' was not read for too long'
      when exists (select from public.tenant_people p where p.customer_id = $1 and p.tenant_id = t.id and p.missing_since is null and not p.is_complete)
        or exists (select from public.license_skus s where s.customer_id = $1 and s.tenant_id = t.id and s.missing_since is null and not s.is_complete)
        then 'some accounts or licenses were not seen in the last complete reading of ' || coalesce(t.name, o.name)
    end as problem) known
  where m.vendor = 'microsoft' group by 1
), sources as (
  select m.integration_id, m.vendor, m.name, case when m.vendor = 'microsoft' then own.observed_at else whole.started_at end as observed_at, busy.is_busy,
    case
      when not m.enabled then m.name || ' is switched off'
      when busy.is_busy then m.name || ' is being read right now'
      when m.vendor = 'microsoft' then own.problem
      when whole.id is null then m.name || ' was never read'
      when not whole.is_complete then 'the last full reading of ' || m.name || ' was not complete'
      when not latest.is_complete then 'the last reading of ' || m.name || ' was not complete'
      when m.mapped_at > whole.started_at then 'an account was mapped after ' || m.name || ' was read'
      when latest.ended_at + app.source_stale_after(m.sync_interval_s) < $2::timestamptz then m.name || ' was not read for too long'
      when m.vendor = 'ninjaone' and exists (select from public.devices d where d.customer_id = $1 and d.integration_id = m.integration_id and d.missing_since is null
          and (not d.is_complete or d.observed_at + app.row_stale_after(m.sync_interval_s, m.full_sync_interval_s) < $2::timestamptz))
        then 'some devices were not seen in the last complete reading of ' || m.name
      when m.vendor = 'revio' and exists (select from public.billing_lines l where l.customer_id = $1 and l.integration_id = m.integration_id and l.missing_since is null
          and (not l.is_complete or not exists (select from public.integration_organizations a
            where a.integration_id = l.integration_id and a.external_id = l.account_ref and a.customer_id = $1)))
        then 'some lines were not seen in the last complete reading of ' || m.name
    end as problem
  from mapped m
  left join own_tenants own on own.integration_id = m.integration_id
  cross join lateral (
    select exists (select from public.sync_runs r where r.integration_id = m.integration_id and r.state = 'running') as is_busy) busy
  left join lateral (
    select r.id, r.started_at, not exists (select from public.sync_parts p where p.sync_run_id = r.id and p.part in ('organizations', 'devices', 'products', 'lines')
      and p.state <> 'complete') as is_complete
    from public.sync_runs r where r.integration_id = m.integration_id and r.kind = 'full' and r.ended_at is not null order by r.queued_at desc, r.id desc limit 1) whole on true
  left join lateral (
    select r.ended_at, not exists (select from public.sync_parts p where p.sync_run_id = r.id and p.part in ('organizations', 'devices', 'products', 'lines')
      and p.state <> 'complete') as is_complete
    from public.sync_runs r where r.integration_id = m.integration_id and r.ended_at is not null order by r.queued_at desc, r.id desc limit 1) latest on true
)
select
  (select coalesce(jsonb_agg(jsonb_build_object('integration_id', s.integration_id, 'vendor', s.vendor, 'observed_at', s.observed_at, 'problem', s.problem, 'is_busy', s.is_busy)), '[]') from sources s) as sources,
  (select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'name', d.name, 'class', d.class, 'approval', d.approval, 'added_at', null, 'missing_since', d.missing_since)), '[]')
     from public.devices d
     where d.customer_id = $1 and d.class = any ($3::text[]) and d.integration_id in (select s.integration_id from sources s where s.vendor = 'ninjaone')
       and (d.missing_since is null or d.missing_since > $2::timestamptz - interval '400 days')) as devices,
  (select coalesce(jsonb_agg(jsonb_build_object('person_id', p.id, 'name', p.display_name, 'sku_id', x.sku_id, 'is_enabled', p.account_enabled, 'disabled_at', p.disabled_seen_at,
       'added_at', coalesce(x.assigned_at, x.created_at), 'missing_since', least(x.missing_since, p.missing_since))), '[]')
     from public.person_licenses x
     join public.tenant_people p on p.customer_id = x.customer_id and p.id = x.person_id
     join public.tenants t on t.customer_id = p.customer_id and t.id = p.tenant_id and t.integration_id in (select s.integration_id from sources s where s.vendor = 'microsoft')
     where x.customer_id = $1 and x.sku_id = any ($5::uuid[])
       and (least(x.missing_since, p.missing_since) is null or least(x.missing_since, p.missing_since) > $2::timestamptz - interval '400 days')) as seats,
  (select coalesce(jsonb_agg(jsonb_build_object('sku_id', k.sku_id, 'purchased', k.purchased)), '[]')
     from public.license_skus k
     join public.tenants t on t.customer_id = k.customer_id and t.id = k.tenant_id and t.missing_since is null
       and t.integration_id in (select s.integration_id from sources s where s.vendor = 'microsoft')
     where k.customer_id = $1 and k.sku_id = any ($5::uuid[]) and k.missing_since is null) as purchases,
  (select coalesce(jsonb_agg(jsonb_build_object('sku_id', k.sku_id, 'seats', e.seats, 'until', e.until)), '[]')
     from public.license_skus k
     join public.tenants t on t.customer_id = k.customer_id and t.id = k.tenant_id and t.missing_since is null
       and t.integration_id in (select s.integration_id from sources s where s.vendor = 'microsoft')
     cross join jsonb_to_recordset(k.terms) as e (seats integer, until timestamptz)
     where k.customer_id = $1 and k.sku_id = any ($5::uuid[]) and k.missing_since is null and e.until > $2::timestamptz) as terms,
  (select coalesce(jsonb_agg(jsonb_build_object('id', l.id, 'external_id', l.external_id, 'product_id', l.product_id, 'quantity', l.quantity::text, 'rate', l.rate::text,
       'currency', l.currency, 'is_active', l.is_active, 'activated_at', l.activated_at, 'disconnected_at', l.disconnected_at, 'quantity_changed_at', l.quantity_changed_at, 'updated_at', l.updated_at,
       'contract_end_at', l.contract_end_at)), '[]')
     from public.billing_lines l where l.customer_id = $1 and l.product_id = any ($4::uuid[]) and l.missing_since is null) as lines,
  (select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'rule_id', d.rule_id, 'state', d.state, 'counted', d.counted::text, 'billed', d.billed::text, 'line_id', d.line_id,
       'rate', d.rate::text, 'rate_source', d.rate_source, 'money_per_month', d.money_per_month::text, 'currency', d.currency, 'direction', d.direction, 'cause', d.cause,
       'cause_text', d.cause_text, 'is_stale', d.stale_since is not null, 'first_seen_at', d.first_seen_at, 'ignored_until', d.ignored_until, 'ignored_counted', d.ignored_counted::text,
       'ignored_billed', d.ignored_billed::text, 'changed_quantity', d.changed_quantity::text,
       'run_is_over', exists (select from flow.runs r where r.customer_id = $1 and r.id = d.run_id and r.ended_at is not null),
       'line_quantity', (select l.quantity::text from public.billing_lines l where l.customer_id = $1 and l.id = d.line_id and l.missing_since is null and l.is_active),
       'charges', case when d.state = 'waiting_for_invoice' then (
          select coalesce(jsonb_agg(jsonb_build_object('bill_id', b.id, 'billed_at', b.billed_at, 'quantity', c.quantity::text, 'is_prorated', c.is_prorated,
            'is_later', case when b.external_id ~ '^[0-9]{1,18}$' then b.external_id::bigint > d.bill_mark else false end)), '[]')
          from public.bill_charges c join public.bills b on b.customer_id = c.customer_id and b.id = c.bill_id
          where c.customer_id = $1 and c.line_id = d.line_id) else '[]'::jsonb end) order by d.first_seen_at, d.id), '[]')
     from public.count_differences d where d.customer_id = $1 and d.state <> 'closed') as known
