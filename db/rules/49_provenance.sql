-- One row per attribute of an object, as for endpoints (45_identity): the value that counts, who says it, how old and how whole that is, which rule chose, and
-- what other sources say instead. A source that says nothing takes no part.
create view public.object_attributes with (security_invoker = true) as
  with told as (
    -- Each kind of fact of an account is read by itself and is as old as that reading.
    select p.customer_id, 'person'::text as kind, p.id as object_id, a.attribute, a.value, lower(a.value) as same_as, 'microsoft'::text as source, p.id as record_id,
           case when a.part = 'people' then p.observed_at else r.observed_at end as observed_at,
           case when a.part = 'people' then p.observed_at + ((select app.stale_after_by_source()) -> p.tenant_id::text ->> 'row')::interval
                else r.observed_at + ((select app.stale_after_by_source()) -> p.tenant_id::text ->> 'source')::interval end as stale_at,
           case when a.part = 'people' then p.is_complete else r.state is not distinct from 'complete' end as is_complete, 1 as place, 'only_source'::text as rule, a.part
    from public.tenant_people p
    cross join lateral (values
      ('name', p.display_name, 'people'), ('sign_in_name', p.user_principal_name, 'people'), ('mail', p.mail, 'people'), ('kind', p.user_type, 'people'),
      ('sign_in', case when p.account_enabled then 'allowed' else 'blocked' end, 'people'), ('department', p.department, 'people'), ('job_title', p.job_title, 'people'),
      ('from_on_premises', case when p.is_synced then 'yes' else 'no' end, 'people'),
      ('created', to_char(p.created_in_vendor_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'people'),
      ('last_sign_in', to_char(p.last_sign_in_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'sign_ins'),
      ('administrator_roles', nullif(array_to_string(p.roles, ', '), ''), 'roles'),
      ('registered_methods', array_to_string(p.methods, ', '), 'registrations'), ('per_user_mfa', p.per_user_mfa, 'mfa_states')
    ) as a (attribute, value, part)
    left join public.tenant_parts r on r.customer_id = p.customer_id and r.tenant_id = p.tenant_id and r.part = a.part
    union all
    -- Microsoft's own directory is asked first; CIPP and SharePoint keep copies of what it says.
    select t.customer_id, 'tenant', t.id, a.attribute, a.value, lower(a.value), 'microsoft', t.id, t.observed_at,
           t.observed_at + ((select app.stale_after_by_source()) -> t.id::text ->> 'source')::interval, t.is_complete, 1, 'microsoft_first', null
    from public.tenants t
    cross join lateral (values ('name', t.name), ('default_domain', t.default_domain), ('initial_domain', t.initial_domain), ('domains', nullif(array_to_string(t.domains, ', '), '')),
      ('country', t.country), ('entra_id_p1', case t.has_premium when true then 'yes' when false then 'no' end), ('security_defaults', case t.security_defaults when true then 'on' when false then 'off' end)
    ) as a (attribute, value)
    union all
    select t.customer_id, 'tenant', t.id, a.attribute, a.value, lower(a.value), 'cipp', c.id, c.observed_at,
           c.observed_at + ((select app.stale_after_by_source()) -> c.integration_id::text ->> 'source')::interval, c.is_complete, 2, 'microsoft_first', null
    from public.tenants t
    join public.cipp_tenants c on c.customer_id = t.customer_id and lower(c.external_id) = lower(t.external_id) and c.missing_since is null
    cross join lateral (values ('name', c.name), ('default_domain', c.default_domain), ('initial_domain', c.initial_domain), ('provider_access', c.access_kind),
      ('provider_access_ends', to_char(c.access_ends_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))) as a (attribute, value)
    union all
    select t.customer_id, 'tenant', t.id, 'name', s.name, lower(s.name), 'sharepoint', s.id, s.observed_at,
           s.observed_at + ((select app.stale_after_by_source()) -> s.integration_id::text ->> 'source')::interval, s.state = 'complete', 3, 'microsoft_first', null
    from public.tenants t
    join public.document_tenants s on s.customer_id = t.customer_id and lower(s.external_id) = lower(t.external_id) and s.missing_since is null and s.observed_at is not null
    union all
    select s.customer_id, 'site', s.id, 'name', s.name, lower(s.name), case when s.integration_id is null then 'entered' else 'ninjaone' end, s.id, coalesce(s.observed_at, s.created_at),
           s.observed_at + ((select app.stale_after_by_source()) -> s.integration_id::text ->> 'source')::interval, true, 1, 'only_source', null
    from public.sites s
    union all
    -- What is billed is the line's word; where it says nothing, or something else, its product's. What is counted stands beside the quantity.
    select b.customer_id, 'service', b.id, a.attribute, a.value, lower(a.value), 'revio', b.id, b.observed_at,
           b.observed_at + ((select app.stale_after_by_source()) -> b.integration_id::text ->> 'source')::interval, b.is_complete, 1, 'line_first', null
    from public.billing_lines b
    cross join lateral (values ('name', b.name), ('quantity', trim_scale(b.quantity)::text), ('rate', b.rate::text), ('currency', b.currency), ('status', b.status),
      ('activated', to_char(b.activated_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), ('contract_end', to_char(b.contract_end_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    ) as a (attribute, value)
    union all
    select b.customer_id, 'service', b.id, a.attribute, a.value, lower(a.value), 'revio_product', p.id, p.observed_at,
           p.observed_at + ((select app.stale_after_by_source()) -> p.integration_id::text ->> 'source')::interval, p.is_complete, 2, 'line_first', null
    from public.billing_lines b
    join public.billing_products p on p.id = b.product_id and p.missing_since is null
    cross join lateral (values ('name', p.name), ('rate', p.rate::text), ('currency', p.currency)) as a (attribute, value)
    union all
    select b.customer_id, 'service', b.id, 'quantity', trim_scale(d.counted)::text, trim_scale(d.counted)::text, 'count_rule', d.id, d.devices_observed_at, null, d.stale_since is null, 3, 'line_first', null
    from public.billing_lines b
    join public.count_differences d on d.customer_id = b.customer_id and d.line_id = b.id and d.state <> 'closed'
  ), placed as (
    select t.*, row_number() over w as nth, first_value(t.same_as) over w as first_same_as
    from told t where t.value is not null
    window w as (partition by t.customer_id, t.kind, t.object_id, t.attribute order by t.place, t.observed_at desc nulls last, t.record_id)
  )
  select p.customer_id, p.kind, p.object_id, p.attribute, (array_agg(p.value order by p.nth))[1] as value, (array_agg(p.source order by p.nth))[1] as source,
         (array_agg(p.record_id order by p.nth))[1] as record_id, (array_agg(p.observed_at order by p.nth))[1] as observed_at, (array_agg(p.stale_at order by p.nth))[1] as stale_at,
         (array_agg(p.is_complete order by p.nth))[1] as is_complete, (array_agg(p.part order by p.nth))[1] as part,
         case when count(*) = 1 then 'only_source' else (array_agg(p.rule order by p.nth))[1] end as rule,
         coalesce(jsonb_agg(jsonb_build_object('value', p.value, 'source', p.source, 'record_id', p.record_id, 'observed_at', p.observed_at) order by p.nth)
           filter (where p.nth > 1 and p.same_as is distinct from p.first_same_as), '[]') as also
  from placed p group by p.customer_id, p.kind, p.object_id, p.attribute
  union all
  select e.customer_id, 'endpoint', e.endpoint_id, e.attribute, e.value, e.source, e.record_id, e.observed_at, e.stale_at, e.is_complete, null,
         case when e.also = '[]' then 'only_source' when e.attribute in ('person', 'compliance', 'encrypted', 'owner', 'os_version', 'enrolled_at') then 'intune_first' else 'rmm_first' end, e.also
  from public.endpoint_attributes e
  union all
  select i.customer_id, 'item', i.id, a.key, a.value, 'entered', i.id, i.confirmed_at, i.confirmed_at + app.entered_stale_after(), true, null, 'entered', '[]'
  from public.configuration_items i cross join lateral jsonb_each_text(i.attributes) a;
comment on view public.object_attributes is 'Each attribute of a person, endpoint, tenant, site, service or entered item: its source, its age, which rule chose it, and what other sources say instead. Ask for one object.';
grant select on public.object_attributes to staff;
