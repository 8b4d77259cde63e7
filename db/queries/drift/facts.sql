-- What tenants are judged by, but for the baselines ($1: one customer, $2: one tenant; null: all that may be seen).
select t.customer_id, t.id, t.is_excluded, k.baseline_id as tier_id,
  -- Without access, whatever was read before now is stale.
  case when app.access_lost_since(t.integration_id, t.external_id) is null then $3::timestamptz - app.row_stale_after(t.integration_id) else $3 end as stale_before, extract(epoch from app.row_stale_after(t.integration_id))::bigint as stale_after_s,
  p.state as part_state, p.reason as part_reason, p.observed_at as part_observed_at, e.evaluated_at,
  (select coalesce(jsonb_object_agg(s.setting, jsonb_build_object('value', s.value, 'observed_at', s.observed_at, 'known_since', s.created_at, 'is_complete', s.is_complete,
       'no_license', coalesce(lower(s.raw ->> 'LicenseAvailable') = 'false', false), 'change',
       (select jsonb_build_object('before', h.before, 'after', h.after, 'seen_at', h.seen_at) from public.tenant_setting_changes h
          where h.customer_id = s.customer_id and h.cipp_tenant_id = s.cipp_tenant_id and h.setting = s.setting order by h.seen_at desc limit 1))), '{}')
     from public.tenant_settings s where s.customer_id = t.customer_id and s.cipp_tenant_id = t.id and s.missing_since is null) as settings,
  (select coalesce(jsonb_agg(jsonb_build_object('id', x.id, 'setting', x.setting, 'value', x.value, 'reason', x.reason, 'until', x.until)), '[]')
     from public.drift_exceptions x where x.customer_id = t.customer_id and x.cipp_tenant_id = t.id and x.ended_at is null) as exceptions,
  (select coalesce(array_agg(d.setting), '{}') from public.drifts d
     where d.customer_id = t.customer_id and d.cipp_tenant_id = t.id and d.state <> 'closed' and d.denied_at is not null) as denied,
  (select coalesce(jsonb_agg(jsonb_build_object('setting', n.setting, 'rule', n.rule, 'severity', n.severity, 'why', n.why)), '[]')
     from public.customer_baseline_entries n where n.customer_id = t.customer_id) as entries
from public.cipp_tenants t
left join public.customer_tiers k on k.customer_id = t.customer_id
left join public.cipp_tenant_parts p on p.customer_id = t.customer_id and p.cipp_tenant_id = t.id and p.part = 'settings'
left join public.drift_evaluations e on e.customer_id = t.customer_id and e.cipp_tenant_id = t.id
where t.missing_since is null and ($1::uuid is null or t.customer_id = $1) and ($2::uuid is null or t.id = $2)
order by t.customer_id, t.id
limit $4
