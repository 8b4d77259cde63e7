-- What the checks of one tenant follow from, over the connections that read it ($3: now).
select p.external_id, coalesce(g.name, c.name, d.name, p.name) as name,
  g.id is not null as has_graph, c.id is not null as has_cipp, d.id is not null as has_documents, c.initial_domain,
  (select coalesce(jsonb_object_agg(a.part, jsonb_build_object('state', a.state, 'reason', a.reason, 'permission', a.permission, 'observed_at', a.observed_at,
     'is_stale', a.observed_at < $3::timestamptz - app.row_stale_after(g.integration_id) or app.access_lost_since(g.integration_id, g.external_id) is not null)), '{}')
     from public.tenant_parts a where a.customer_id = g.customer_id and a.tenant_id = g.id) as graph_parts,
  (select coalesce(jsonb_object_agg(a.part, jsonb_build_object('state', a.state, 'reason', a.reason, 'permission', a.permission, 'observed_at', a.observed_at,
     'is_stale', a.observed_at < $3::timestamptz - app.row_stale_after(c.integration_id) or app.access_lost_since(c.integration_id, c.external_id) is not null)), '{}')
     from public.cipp_tenant_parts a where a.customer_id = c.customer_id and a.cipp_tenant_id = c.id) as cipp_parts,
  (select coalesce(jsonb_agg(jsonb_build_object('id', x.external_id, 'name', x.display_name, 'upn', x.user_principal_name, 'roles', x.roles, 'outcome', m.outcome,
       'reason', m.reason_text) order by x.external_id), '[]')
     from public.tenant_people x left join public.mfa_results m on m.customer_id = x.customer_id and m.person_id = x.id
     where x.customer_id = g.customer_id and x.tenant_id = g.id and x.is_admin and x.missing_since is null) as admins,
  (select coalesce(jsonb_agg(jsonb_build_object('id', x.external_id, 'name', x.display_name, 'upn', coalesce(x.mail, x.user_principal_name), 'roles', x.roles, 'created_at', x.created_in_vendor_at,
       'last_sign_in_at', x.last_sign_in_at) order by x.external_id), '[]')
     from public.tenant_people x where x.customer_id = g.customer_id and x.tenant_id = g.id and x.user_type = 'guest' and x.account_enabled and x.missing_since is null) as guests,
  (select coalesce(jsonb_agg(jsonb_build_object('id', x.external_id, 'app', x.app_external, 'app_name', x.app_name, 'kind', x.kind, 'name', x.name, 'hint', x.hint, 'ends_at', x.ends_at)
       order by x.external_id), '[]')
     from public.tenant_app_credentials x where x.customer_id = g.customer_id and x.tenant_id = g.id and x.missing_since is null) as credentials,
  (select jsonb_build_object('day', x.day, 'current', x.current_score, 'max', x.max_score) from public.tenant_secure_scores x
     where x.customer_id = g.customer_id and x.tenant_id = g.id order by x.day desc limit 1) as secure_score,
  (select coalesce(jsonb_agg(jsonb_build_object('domain', x.domain, 'spf', x.spf_passes, 'spf_record', x.spf_record, 'dkim', x.dkim_enabled, 'dmarc', x.dmarc_present, 'policy', x.dmarc_policy,
       'covers_all', x.dmarc_covers_all, 'analysed_at', x.analysed_at) order by x.domain), '[]')
     from public.tenant_mail_domains x where x.customer_id = c.customer_id and x.cipp_tenant_id = c.id and x.missing_since is null) as domains,
  (select coalesce(jsonb_agg(jsonb_build_object('id', x.external_id, 'mailbox', x.mailbox, 'name', x.display_name, 'target', x.target, 'reach', x.reach, 'keeps_copy', x.keeps_copy)
       order by x.external_id), '[]')
     from public.mailbox_forwardings x where x.customer_id = c.customer_id and x.cipp_tenant_id = c.id and x.missing_since is null) as forwardings,
  jsonb_build_object('state', d.state, 'reason', d.reason, 'permission', d.permission, 'observed_at', d.observed_at,
    'is_stale', d.observed_at < $3::timestamptz - app.row_stale_after(d.integration_id) or app.access_lost_since(d.integration_id, d.external_id) is not null) as sites_read,
  (select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'is_chosen', s.reads <> 'inventory', 'state', a.state, 'reason', a.reason, 'permission', a.permission,
       'observed_at', a.observed_at, 'is_stale', a.observed_at < $3::timestamptz - app.row_stale_after(d.integration_id) or app.access_lost_since(d.integration_id, d.external_id) is not null) order by s.name, s.id), '[]')
     from public.document_sites s left join public.document_site_parts a on a.customer_id = s.customer_id and a.site_id = s.id and a.part = 'sharing'
     where s.customer_id = d.customer_id and s.tenant_id = d.id and s.missing_since is null) as sites,
  (select coalesce(jsonb_agg(jsonb_build_object('id', h.external_id, 'document', o.external_id, 'path', coalesce(nullif(o.path, ''), o.name), 'site', s.name, 'kind', h.kind,
       'expires_at', h.expires_at, 'has_password', h.has_password) order by o.external_id, h.external_id), '[]')
     from public.document_shares h
     join public.documents o on o.customer_id = h.customer_id and o.id = h.document_id and o.missing_since is null
     join public.document_sites s on s.customer_id = o.customer_id and s.id = o.site_id and s.missing_since is null and s.reads <> 'inventory'
     where h.customer_id = d.customer_id and s.tenant_id = d.id and h.scope = 'anonymous' and h.missing_since is null) as links
from public.posture_tenants p
left join lateral (select * from public.tenants t where t.customer_id = p.customer_id and lower(t.external_id) = p.external_id and t.missing_since is null order by t.observed_at desc, t.id limit 1) g on true
left join lateral (select * from public.cipp_tenants t where t.customer_id = p.customer_id and lower(t.external_id) = p.external_id and t.missing_since is null order by t.observed_at desc, t.id limit 1) c on true
left join lateral (select * from public.document_tenants t where t.customer_id = p.customer_id and lower(t.external_id) = p.external_id and t.missing_since is null
  order by t.observed_at desc nulls last, t.id limit 1) d on true
where p.customer_id = $1 and p.id = $2
