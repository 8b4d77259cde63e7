-- One model over the estate: what there is (items) and how it hangs together (relationships). What synchronizations report is read from
-- where they keep it, so that nothing is copied and nothing can lag (ADR 28); what people enter stands beside it and is written by people only.
-- All of it is the provider's: customers' people see their devices, people and tickets on the pages of these.
create policy staff_select on public.configuration_items for select to staff using ((select app.has('configuration:read')));
create policy staff_insert on public.configuration_items for insert to staff with check ((select app.has('configuration:write')));
create policy staff_update on public.configuration_items for update to staff
  using ((select app.has('configuration:write'))) with check ((select app.has('configuration:write')));
create policy staff_delete on public.configuration_items for delete to staff using ((select app.has('configuration:write')));
create policy staff_select on public.configuration_relationships for select to staff using ((select app.has('configuration:read')));
create policy staff_insert on public.configuration_relationships for insert to staff with check ((select app.has('configuration:write')));
create policy staff_update on public.configuration_relationships for update to staff
  using ((select app.has('configuration:write'))) with check ((select app.has('configuration:write')));
create policy staff_delete on public.configuration_relationships for delete to staff using ((select app.has('configuration:write')));
grant select, delete on public.configuration_items, public.configuration_relationships to staff;
grant insert (customer_id, id, kind, name, description, status, attributes) on public.configuration_items to staff;
grant update (kind, name, description, status, attributes) on public.configuration_items to staff;
grant insert (customer_id, id, from_kind, from_id, kind, to_kind, to_id, note) on public.configuration_relationships to staff;
-- What it joins stays: another relationship is entered instead.
grant update (note) on public.configuration_relationships to staff;
select app.watch('public.configuration_items'), app.watch('public.configuration_relationships');

-- Every item that can be an end of a relationship. One plain scan per kind and no sub-select, so that a filter by kind, customer or id
-- reaches the index of each table. `via_id` is what says how old its facts may be: the connection, or the tenant that it is of.
create view app.configuration_nodes with (security_invoker = true) as
  select c.id as customer_id, c.id, 'customer'::text as kind, c.name, c.code as detail, 'entered'::text as origin, '{entered}'::text[] as sources, null::uuid as via_id,
         'source'::text as age, null::timestamptz as observed_at, true as is_complete, c.archived_at as missing_since, 'present'::text as status, c.created_at, null::uuid as entered_by
  from public.customers c
  union all
  select s.customer_id, s.id, 'site', s.name, null, case when s.integration_id is null then 'entered' else 'derived' end,
         case when s.integration_id is null then '{entered}'::text[] else '{ninjaone}' end, s.integration_id, 'source', s.observed_at, true, null, 'present', s.created_at, null
  from public.sites s
  union all
  select e.customer_id, e.id, 'endpoint', e.name, e.os_name, 'derived', e.sources, null, 'row', null, null, null, 'present', e.created_at, null
  from public.endpoints e where e.ended_at is null
  union all
  select p.customer_id, p.id, 'person', p.display_name, p.user_principal_name, 'derived', '{microsoft}', p.tenant_id, 'row', p.observed_at, p.is_complete, p.missing_since, 'present', p.created_at, null
  from public.tenant_people p
  union all
  select t.customer_id, t.id, 'tenant', t.name, t.default_domain, 'derived', '{microsoft}', t.integration_id, 'source', t.observed_at, t.is_complete, t.missing_since, 'present', t.created_at, null
  from public.tenants t
  union all
  select l.customer_id, l.id, 'license', l.name, l.part_number, 'derived', '{microsoft}', l.tenant_id, 'source', l.observed_at, l.is_complete, l.missing_since, 'present', l.created_at, null
  from public.license_skus l
  union all
  select b.customer_id, b.id, 'service', b.name, b.status, 'derived', '{revio}', b.integration_id, 'source', b.observed_at, b.is_complete, b.missing_since, 'present', b.created_at, null
  from public.billing_lines b
  union all
  -- A domain and an application have no row of their own: their ids are made of what names them.
  select t.customer_id, md5(t.id::text || '/' || lower(d.domain))::uuid, 'domain', lower(d.domain), t.name, 'derived', '{microsoft}', t.id, 'source', t.observed_at, t.is_complete,
         t.missing_since, 'present', t.created_at, null
  from public.tenants t cross join unnest(t.domains) d (domain)
  union all
  select a.customer_id, md5(a.tenant_id::text || '/' || a.app_external)::uuid, 'application', min(a.app_name), min(a.client_external), 'derived', '{microsoft}', a.tenant_id,
         'source', max(a.observed_at), bool_and(a.is_complete), case when bool_and(a.missing_since is not null) then max(a.missing_since) end, 'present', min(a.created_at), null
  from public.tenant_app_credentials a group by a.customer_id, a.tenant_id, a.app_external
  union all
  select s.customer_id, s.id, 'sharepoint_site', s.name, s.web_url, 'derived', '{sharepoint}', s.tenant_id, 'source', s.observed_at, s.is_complete, s.missing_since, 'present', s.created_at, null
  from public.document_sites s where s.kind <> 'personal'
  union all
  select i.customer_id, i.id, i.kind, i.name, nullif(i.description, ''), 'entered', '{entered}', null, 'source', i.confirmed_at, true, null, i.status, i.created_at, i.created_by
  from public.configuration_items i
  union all
  -- The records that an endpoint is joined of are ends of relationships; as items they would show each machine twice.
  select d.customer_id, d.id, 'rmm_device', d.name, d.os_name, 'derived', '{ninjaone}', d.integration_id, 'row', d.observed_at, d.is_complete, d.missing_since, 'present', d.created_at, null
  from public.devices d
  union all
  select m.customer_id, m.id, 'intune_device', coalesce(m.name, m.serial_number, m.external_id), m.os_name, 'derived', '{intune}', m.tenant_id, 'row', m.observed_at, m.is_complete,
         m.missing_since, 'present', m.created_at, null
  from public.managed_devices m;
comment on view app.configuration_nodes is 'Whatever configuration relationships join, read from where each source is kept.';

-- Rules that say how items hang together, one each; `from` depends on `to`. Nothing joins two customers: each rule goes by the customer first.
-- A relationship that its source's last complete reading lacks is gone with it: rows that are missing say nothing.
-- `endpoint_id` names the machine whose records say it, where no single row does.
create view app.configuration_edges with (security_invoker = true) as
  select s.customer_id, 'site_of_customer'::text as rule, 'site'::text as from_kind, s.id as from_id, 'customer'::text as to_kind, s.customer_id as to_id, 'certain'::text as confidence,
         'derived'::text as origin, case when s.integration_id is null then 'entered' else 'ninjaone' end as source, s.integration_id as via_id, 'source'::text as age, null::uuid as endpoint_id,
         s.observed_at, true as is_complete, null::uuid as relationship_id
  from public.sites s
  union all
  select e.customer_id, 'endpoint_at_site', 'endpoint', e.id, 'site', e.site_id, 'certain', 'derived', 'ninjaone', null, 'row', e.id, null, null, null
  from public.endpoints e where e.ended_at is null and e.site_id is not null
  union all
  select e.customer_id, 'endpoint_of_customer', 'endpoint', e.id, 'customer', e.customer_id, 'certain', 'derived', e.sources[1], null, 'row', e.id, null, null, null
  from public.endpoints e where e.ended_at is null and e.site_id is null
  union all
  select e.customer_id, 'person_uses_endpoint', 'person', e.person_id, 'endpoint', e.id, 'strong', 'derived', 'intune', null, 'row', e.id, null, null, null
  from public.endpoints e where e.ended_at is null and e.person_id is not null
  union all
  select r.customer_id, 'endpoint_is_rmm_device', 'endpoint', r.endpoint_id, 'rmm_device', r.device_id, coalesce(r.confidence, 'certain'), 'derived', 'ninjaone', null, 'row', r.endpoint_id, null, null, null
  from public.endpoint_records r where r.ended_at is null and r.device_id is not null
  union all
  select r.customer_id, 'endpoint_is_intune_device', 'endpoint', r.endpoint_id, 'intune_device', r.managed_device_id, coalesce(r.confidence, 'certain'), 'derived', 'intune', null, 'row', r.endpoint_id,
         null, null, null
  from public.endpoint_records r where r.ended_at is null and r.managed_device_id is not null
  union all
  select m.customer_id, 'intune_device_of_tenant', 'intune_device', m.id, 'tenant', m.tenant_id, 'certain', 'derived', 'intune', m.tenant_id, 'row', null, m.observed_at, m.is_complete, null
  from public.managed_devices m where m.missing_since is null
  union all
  select p.customer_id, 'person_in_tenant', 'person', p.id, 'tenant', p.tenant_id, 'certain', 'derived', 'microsoft', p.tenant_id, 'row', null, p.observed_at, p.is_complete, null
  from public.tenant_people p where p.missing_since is null
  union all
  select p.customer_id, 'person_in_domain', 'person', p.id, 'domain', md5(t.id::text || '/' || lower(d.domain))::uuid, 'certain', 'derived', 'microsoft', t.id, 'row', null, p.observed_at, p.is_complete, null
  from public.tenants t cross join unnest(t.domains) d (domain)
  join public.tenant_people p on p.customer_id = t.customer_id and p.tenant_id = t.id and lower(split_part(p.user_principal_name, '@', 2)) = lower(d.domain)
  where t.missing_since is null and p.missing_since is null
  union all
  select p.customer_id, 'person_holds_license', 'person', p.id, 'license', l.id, 'certain', 'derived', 'microsoft', p.tenant_id, 'row', null, p.observed_at, p.is_complete, null
  from public.tenant_people p
  join public.license_skus l on l.customer_id = p.customer_id and l.tenant_id = p.tenant_id and l.sku_id = any (p.sku_ids) and l.missing_since is null
  where p.missing_since is null
  union all
  select l.customer_id, 'license_of_tenant', 'license', l.id, 'tenant', l.tenant_id, 'certain', 'derived', 'microsoft', l.tenant_id, 'source', null, l.observed_at, l.is_complete, null
  from public.license_skus l where l.missing_since is null
  union all
  select t.customer_id, 'tenant_of_customer', 'tenant', t.id, 'customer', t.customer_id, 'certain', 'derived', 'microsoft', t.integration_id, 'source', null, t.observed_at, t.is_complete, null
  from public.tenants t where t.missing_since is null
  union all
  select t.customer_id, 'domain_of_tenant', 'domain', md5(t.id::text || '/' || lower(d.domain))::uuid, 'tenant', t.id, 'certain', 'derived', 'microsoft', t.integration_id, 'source', null, t.observed_at, t.is_complete, null
  from public.tenants t cross join unnest(t.domains) d (domain) where t.missing_since is null
  union all
  select a.customer_id, 'application_of_tenant', 'application', md5(a.tenant_id::text || '/' || a.app_external)::uuid, 'tenant', a.tenant_id, 'certain', 'derived', 'microsoft', a.tenant_id, 'source', null,
         max(a.observed_at), bool_and(a.is_complete), null
  from public.tenant_app_credentials a where a.missing_since is null group by a.customer_id, a.tenant_id, a.app_external
  union all
  -- Two connections of the same tenant at Microsoft.
  select s.customer_id, 'sharepoint_site_of_tenant', 'sharepoint_site', s.id, 'tenant', t.id, 'certain', 'derived', 'sharepoint', t.id, 'source', null, s.observed_at, s.is_complete, null
  from public.document_sites s
  join public.document_tenants x on x.customer_id = s.customer_id and x.id = s.tenant_id
  join public.tenants t on t.customer_id = x.customer_id and lower(t.external_id) = lower(x.external_id) and t.missing_since is null
  where s.missing_since is null and s.kind <> 'personal'
  union all
  select b.customer_id, 'service_of_customer', 'service', b.id, 'customer', b.customer_id, 'certain', 'derived', 'revio', b.integration_id, 'source', null, b.observed_at, b.is_complete, null
  from public.billing_lines b where b.missing_since is null
  union all
  select l.customer_id, 'license_billed_by_service', 'license', l.id, 'service', b.id, 'certain', 'derived', 'count_rule', b.integration_id, 'source', null, least(l.observed_at, b.observed_at),
         l.is_complete and b.is_complete, null
  from public.count_rules r
  join public.billing_lines b on b.product_id = r.billing_product_id and b.is_active and b.missing_since is null
  join public.license_skus l on l.customer_id = b.customer_id and l.sku_id = any (r.sku_ids) and l.missing_since is null
  where r.enabled and r.counts = 'seats'
  union all
  select d.customer_id, 'endpoint_billed_by_service', 'endpoint', e.endpoint_id, 'service', b.id, 'certain', 'derived', 'count_rule', b.integration_id, 'source', null, least(d.observed_at, b.observed_at),
         d.is_complete and b.is_complete, null
  from public.count_rules r
  join public.billing_lines b on b.product_id = r.billing_product_id and b.is_active and b.missing_since is null
  join public.devices d on d.customer_id = b.customer_id and d.class = any (r.device_classes) and (not r.approved_only or d.approval = 'approved') and d.missing_since is null
  join public.endpoint_records e on e.customer_id = d.customer_id and e.device_id = d.id and e.ended_at is null
  where r.enabled and r.counts = 'devices'
  union all
  select m.customer_id, m.kind, m.from_kind, m.from_id, m.to_kind, m.to_id, 'certain', 'entered', 'entered', null, 'source', null, m.confirmed_at, true, m.id
  from public.configuration_relationships m;
comment on view app.configuration_edges is 'How configuration items hang together: by rule from what sources report, and as people entered it.';
grant select on app.configuration_nodes, app.configuration_edges to staff;

-- A person's word is asked for again after a year.
create or replace function app.entered_stale_after() returns interval language sql immutable as $$ select interval '365 days' $$;
-- How long facts stay fresh, by what they came over: connections, and tenants read over one. One look for a whole statement (as a scalar sub-select),
-- because asking for each of 100,000 rows takes seconds.
create policy owner_select on public.tenants for select to owner using (true);
create policy owner_select on public.document_tenants for select to owner using (true);
create or replace function app.stale_after_by_source() returns jsonb language sql stable security definer set search_path = '' as $$
  select coalesce(jsonb_object_agg(v.via_id, jsonb_build_object('row', app.row_stale_after(i.sync_interval_s, i.full_sync_interval_s), 'source', app.source_stale_after(i.sync_interval_s))), '{}')
  from (
    select c.id as via_id, c.id as integration_id from public.integrations c
    union all select t.id, t.integration_id from public.tenants t
    union all select d.id, d.integration_id from public.document_tenants d) v
  join public.integrations i on i.id = v.integration_id
$$;
comment on function app.stale_after_by_source() is 'Definer: reads the intervals of sources, whose rows not everybody may read who sees their facts; gives ids and times only.';
revoke all on function app.entered_stale_after(), app.stale_after_by_source() from public;
grant execute on function app.entered_stale_after(), app.stale_after_by_source() to staff;

-- A machine is as old as the oldest of its records. Ask for one.
create view app.endpoint_ages with (security_invoker = true) as
  select x.customer_id, x.endpoint_id, x.observed_at, x.is_complete, x.stale_at,
         case when x.stale_at <= now() then 'stale' when not x.is_complete then 'partial' else 'fresh' end as freshness
  from (
    select r.customer_id, r.endpoint_id, min(coalesce(d.observed_at, m.observed_at)) as observed_at, bool_and(coalesce(d.is_complete, m.is_complete)) as is_complete,
           min(coalesce(d.observed_at + ((select app.stale_after_by_source()) -> d.integration_id::text ->> 'row')::interval,
                        m.observed_at + ((select app.stale_after_by_source()) -> m.tenant_id::text ->> 'row')::interval)) as stale_at
    from public.endpoint_records r
    left join public.devices d on d.customer_id = r.customer_id and d.id = r.device_id
    left join public.managed_devices m on m.customer_id = r.customer_id and m.id = r.managed_device_id
    where r.ended_at is null
    group by r.customer_id, r.endpoint_id) x;
comment on view app.endpoint_ages is 'How old the facts of a machine are, by the oldest of its records.';
grant select on app.endpoint_ages to staff;

-- Scalar sub-selects, because they are worked out for the rows of the page only; `freshness` is asked of every row when it is filtered by.
create view public.configuration_item_list with (security_invoker = true) as
  select n.customer_id, n.id, n.kind, n.name, n.detail, c.name as customer_name, n.origin, n.sources,
         case when n.missing_since is not null then 'missing' else n.status end as state,
         case when n.kind = 'endpoint' then (select a.observed_at from app.endpoint_ages a where a.customer_id = n.customer_id and a.endpoint_id = n.id) else n.observed_at end as observed_at,
         case when n.kind = 'endpoint' then (select a.is_complete from app.endpoint_ages a where a.customer_id = n.customer_id and a.endpoint_id = n.id) else n.is_complete end as is_complete,
         case when n.kind = 'endpoint' then (select a.stale_at from app.endpoint_ages a where a.customer_id = n.customer_id and a.endpoint_id = n.id)
              when n.origin = 'entered' then n.observed_at + app.entered_stale_after()
              else n.observed_at + ((select app.stale_after_by_source()) -> n.via_id::text ->> n.age)::interval end as stale_at,
         case when n.kind = 'endpoint' then (select a.freshness from app.endpoint_ages a where a.customer_id = n.customer_id and a.endpoint_id = n.id)
              when n.origin = 'entered' then case when n.observed_at < now() - app.entered_stale_after() then 'stale' else 'entered' end
              when n.observed_at + ((select app.stale_after_by_source()) -> n.via_id::text ->> n.age)::interval <= now() then 'stale'
              when not n.is_complete then 'partial' else 'fresh' end as freshness,
         n.missing_since, n.created_at, n.entered_by, (select p.display_name from public.people p where p.id = n.entered_by) as entered_by_name
  from app.configuration_nodes n
  left join public.customers c on c.id = n.customer_id
  where n.kind not in ('rmm_device', 'intune_device');
comment on view public.configuration_item_list is 'Every configuration item, derived or entered, with its sources and how old its facts are: for the list screen.';
grant select on public.configuration_item_list to staff;

-- Both ways: what an item depends on (`out`), and what depends on it (`in`). Ask for one item.
create view public.configuration_relationship_list with (security_invoker = true) as
  select x.customer_id, x.item_kind, x.item_id, x.direction, x.rule, x.other_kind, x.other_id,
         (select n.name from app.configuration_nodes n where n.customer_id = x.customer_id and n.kind = x.other_kind and n.id = x.other_id) as other_name,
         x.confidence, x.origin, x.source,
         case when x.endpoint_id is null then x.observed_at else (select a.observed_at from app.endpoint_ages a where a.customer_id = x.customer_id and a.endpoint_id = x.endpoint_id) end as observed_at,
         case when x.endpoint_id is null then x.is_complete else (select a.is_complete from app.endpoint_ages a where a.customer_id = x.customer_id and a.endpoint_id = x.endpoint_id) end as is_complete,
         case when x.endpoint_id is not null then (select a.stale_at from app.endpoint_ages a where a.customer_id = x.customer_id and a.endpoint_id = x.endpoint_id)
              when x.origin = 'entered' then x.observed_at + app.entered_stale_after()
              else x.observed_at + ((select app.stale_after_by_source()) -> x.via_id::text ->> x.age)::interval end as stale_at,
         x.relationship_id
  from (
    select e.customer_id, e.from_kind as item_kind, e.from_id as item_id, 'out' as direction, e.rule, e.to_kind as other_kind, e.to_id as other_id, e.confidence, e.origin, e.source, e.via_id,
           e.age, e.endpoint_id, e.observed_at, e.is_complete, e.relationship_id
    from app.configuration_edges e
    union all
    select e.customer_id, e.to_kind, e.to_id, 'in', e.rule, e.from_kind, e.from_id, e.confidence, e.origin, e.source, e.via_id, e.age, e.endpoint_id, e.observed_at,
           e.is_complete, e.relationship_id
    from app.configuration_edges e) x;
comment on view public.configuration_relationship_list is 'Relationships of an item both ways, each with its rule, source, confidence and when it was last seen. Ask for one item.';
grant select on public.configuration_relationship_list to staff;

-- Who entered, and when, is not the caller's to say; whoever changes an item says that it is so now.
create or replace function app.stamp_configuration_item() returns trigger language plpgsql set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    new.created_by := app.user_id();
    new.created_at := now();
  end if;
  new.changed_by := app.user_id();
  new.confirmed_at := now();
  return new;
end $$;
create trigger stamp before insert or update on public.configuration_items for each row execute function app.stamp_configuration_item();

create or replace function app.stamp_configuration_relationship() returns trigger language plpgsql set search_path = '' as $$
begin
  if tg_op = 'INSERT' then
    new.created_by := app.user_id();
    new.created_at := now();
  end if;
  new.confirmed_at := now();
  return new;
end $$;
create trigger stamp before insert or update on public.configuration_relationships for each row execute function app.stamp_configuration_relationship();

-- Both ends are items of this customer that the caller sees: asked under the caller's own rights, and after the policies let the row in, so that a
-- refusal tells nothing.
create or replace function app.check_configuration_relationship() returns trigger language plpgsql set search_path = '' as $$
begin
  if not exists (select from app.configuration_nodes n where n.customer_id = new.customer_id and n.kind = new.from_kind and n.id = new.from_id)
    or not exists (select from app.configuration_nodes n where n.customer_id = new.customer_id and n.kind = new.to_kind and n.id = new.to_id) then
    raise exception 'There is no such item at this customer.' using errcode = 'PT404', hint = 'Both ends are items of the same customer.';
  end if;
  return null;
end $$;
create trigger check_ends after insert on public.configuration_relationships for each row execute function app.check_configuration_relationship();

-- An item that is removed takes along what was entered about it, as its remover.
create or replace function app.drop_configuration_relationships() returns trigger language plpgsql set search_path = '' as $$
begin
  delete from public.configuration_relationships r where r.customer_id = old.customer_id and (r.from_id = old.id or r.to_id = old.id);
  return null;
end $$;
create trigger drop_relationships after delete on public.configuration_items for each row execute function app.drop_configuration_relationships();
revoke all on function app.stamp_configuration_item(), app.stamp_configuration_relationship(), app.check_configuration_relationship(), app.drop_configuration_relationships() from public;

-- One level of the walk below: what hangs on these items (or what they hang on). A few are looked up by index; many are joined with all relationships
-- of the customer that end at their kinds: as a constant, an array of 50,000 ids takes the planner seconds.
create or replace function app.configuration_step(p_customer uuid, p_direction text, p_ids uuid[], p_kinds text[])
returns table (kind text, id uuid, rule text, through_id uuid)
language plpgsql stable rows 10000 set search_path = '' set plan_cache_mode = force_custom_plan as $$
begin
  if p_direction = 'in' and cardinality(p_ids) <= 200 then
    return query select d.from_kind, d.from_id, d.rule, d.to_id from app.configuration_edges d
      where d.customer_id = p_customer and d.to_id = any (p_ids) and d.to_kind = any (p_kinds) and d.rule <> 'connected_to';
  elsif p_direction = 'in' then
    return query select d.from_kind, d.from_id, d.rule, d.to_id from app.configuration_edges d
      where d.customer_id = p_customer and d.to_kind = any (p_kinds) and d.rule <> 'connected_to' and d.to_id in (select unnest(p_ids));
  elsif cardinality(p_ids) <= 200 then
    return query select d.to_kind, d.to_id, d.rule, d.from_id from app.configuration_edges d
      where d.customer_id = p_customer and d.from_id = any (p_ids) and d.from_kind = any (p_kinds) and d.rule <> 'connected_to';
  else
    return query select d.to_kind, d.to_id, d.rule, d.from_id from app.configuration_edges d
      where d.customer_id = p_customer and d.from_kind = any (p_kinds) and d.rule <> 'connected_to' and d.from_id in (select unnest(p_ids));
  end if;
end $$;

-- What depends on an item, directly or over others, the nearest first; or with `p_direction` 'out' what it depends on. Bounded by levels and items:
-- `is_whole` says whether all was found.
create or replace function public.configuration_impact(p_customer uuid, p_item uuid, p_direction text default 'in', p_levels integer default 6, p_rows integer default 200) returns jsonb
language plpgsql stable set search_path = '' set jit = off as $$
declare
  levels_max constant integer := least(greatest(p_levels, 1), 12);
  rows_max constant integer := least(greatest(p_rows, 1), 1000);
  items_max constant integer := 200000;
  seen uuid[] := array[p_item];
  level_ids uuid[] := array[p_item];
  level_kinds text[] := (select array_agg(distinct n.kind) from app.configuration_nodes n where n.customer_id = p_customer and n.id = p_item);
  level integer := 0;
  found record;
  kinds jsonb := '{}';
  rows jsonb := '[]';
  is_whole boolean := true;
begin
  if p_direction not in ('in', 'out') then
    raise exception 'p_direction is "in" (what depends on it) or "out" (what it depends on).' using errcode = 'PT400';
  end if;
  if level_kinds is null then
    raise exception 'There is no such item at this customer.' using errcode = 'PT404';
  end if;
  while cardinality(level_ids) > 0 loop
    with reached as materialized (
      select distinct on (s.id) s.kind, s.id, s.rule, s.through_id from app.configuration_step(p_customer, p_direction, level_ids, level_kinds) s
      where not exists (select from unnest(seen) k (id) where k.id = s.id)
      order by s.id),
    shown as (
      -- The records of machines last: their machines say the same.
      select r.kind, r.id, r.rule, r.through_id from reached r
      order by r.kind in ('rmm_device', 'intune_device'), r.kind, r.id limit greatest(rows_max - jsonb_array_length(rows), 0))
    select coalesce((select array_agg(r.id) from reached r), '{}') as ids,
           coalesce((select array_agg(c.kind) from (select distinct r.kind from reached r) c), '{}') as of_kinds,
           coalesce((select jsonb_object_agg(c.kind, c.items) from (select r.kind, count(*) as items from reached r group by r.kind) c), '{}') as counts,
           coalesce((select jsonb_agg(jsonb_build_object('level', level + 1, 'kind', s.kind, 'id', s.id, 'rule', s.rule, 'through_id', s.through_id,
              'name', (select n.name from app.configuration_nodes n where n.customer_id = p_customer and n.kind = s.kind and n.id = s.id),
              'through_name', (select n.name from app.configuration_nodes n where n.customer_id = p_customer and n.id = s.through_id and n.kind = any (level_kinds) limit 1))) from shown s), '[]') as shown
      into found;
    exit when cardinality(found.ids) = 0;
    -- There are more, beyond the bound.
    if level >= levels_max or cardinality(seen) >= items_max then
      is_whole := false;
      exit;
    end if;
    level := level + 1;
    level_ids := found.ids;
    level_kinds := found.of_kinds;
    seen := seen || level_ids;
    rows := rows || found.shown;
    select coalesce(jsonb_object_agg(k.kind, k.items), '{}') into kinds
      from (select u.key as kind, sum(u.value::integer) as items from (select * from jsonb_each_text(kinds) union all select * from jsonb_each_text(found.counts)) u group by u.key) k;
  end loop;
  return jsonb_build_object('reached', cardinality(seen) - 1, 'levels', level, 'is_whole', is_whole, 'kinds', kinds, 'rows', rows);
end $$;
comment on function public.configuration_impact(uuid, uuid, text, integer, integer) is 'What depends on a configuration item of a customer (in), or what it depends on (out): how many of each kind, and the nearest of them. At most 12 levels, some 200,000 items and 1,000 rows; is_whole is false when there are more.';
revoke all on function app.configuration_step(uuid, text, uuid[], text[]), public.configuration_impact(uuid, uuid, text, integer, integer) from public;
grant execute on function app.configuration_step(uuid, text, uuid[], text[]), public.configuration_impact(uuid, uuid, text, integer, integer) to staff;
