-- Tenants, accounts and licenses are Microsoft's word: people read them, background work writes them. A customer's own people see theirs
-- without the vendor's raw record. What access policies say, and what could not be read, is for the provider.
select app.protect('public.tenants', 'people', '{select}');
select app.protect('public.tenant_people', 'people', '{select}');
select app.protect('public.license_skus', 'people', '{select}');
select app.protect('public.person_licenses', 'people', '{select}');
revoke select on public.tenants, public.tenant_people, public.license_skus from authenticated;
-- With its id at Microsoft, which anybody can look up by its domain: freshness is worked out by it.
grant select (customer_id, id, integration_id, external_id, name, default_domain, initial_domain, domains, country, has_premium, security_defaults, observed_at, is_complete, missing_since)
  on public.tenants to authenticated;
grant select (customer_id, id, tenant_id, user_principal_name, display_name, mail, user_type, account_enabled, disabled_seen_at, created_in_vendor_at, last_sign_in_at,
  department, job_title, is_synced, is_admin, roles, sku_ids, methods, mfa_registered, per_user_mfa, is_leaver, observed_at, is_complete, missing_since)
  on public.tenant_people to authenticated;
grant select (customer_id, id, tenant_id, sku_id, part_number, name, purchased, suspended, warning, assigned, status, observed_at, is_complete, missing_since)
  on public.license_skus to authenticated;
-- Where a tenant is filed, over all customers: so that one that was mapped anew is never shown to two. Keys only, no facts.
create policy system_select on public.tenants for select to system using (true);
grant select (customer_id, id, integration_id, external_id, missing_since) on public.tenants to system;

create policy staff_select on public.tenant_parts for select to staff using ((select app.has('people:read')));
create policy worker_all on public.tenant_parts for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
-- Which tenants a scheduled run spares, over all customers: keys and times only.
create policy system_select on public.tenant_parts for select to system using (true);
grant select (customer_id, tenant_id, part, spare_until) on public.tenant_parts to system;
create policy staff_select on public.access_policies for select to staff using ((select app.has('people:read')));
create policy worker_all on public.access_policies for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
create policy worker_all on public.tenant_cursors for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
create policy worker_all on public.access_facts for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
grant select on public.tenant_parts, public.access_policies to staff;
grant select, insert, update, delete on public.tenant_parts, public.access_policies, public.access_facts, public.tenant_cursors to worker;

-- What a seat of a license is billed at: by the customer's own line, else by the product that a rule names for it. Null: nothing says.
create or replace function app.seat_rate(p_customer uuid, p_sku uuid) returns numeric language sql stable set search_path = '' as $$
  select coalesce(l.rate, p.rate) * r.multiplier
  from public.count_rules r
  join public.billing_products p on p.id = r.billing_product_id
  left join public.billing_lines l on l.customer_id = p_customer and l.product_id = p.id and l.missing_since is null and l.is_active and l.rate is not null
  where r.enabled and r.counts = 'seats' and p_sku = any (r.sku_ids)
  order by r.created_at, r.id, l.created_at desc, l.id limit 1
$$;
create or replace function app.seat_currency(p_customer uuid, p_sku uuid) returns text language sql stable set search_path = '' as $$
  select coalesce(l.currency, p.currency)
  from public.count_rules r
  join public.billing_products p on p.id = r.billing_product_id
  left join public.billing_lines l on l.customer_id = p_customer and l.product_id = p.id and l.missing_since is null and l.is_active and l.rate is not null
  where r.enabled and r.counts = 'seats' and p_sku = any (r.sku_ids)
  order by r.created_at, r.id, l.created_at desc, l.id limit 1
$$;
revoke all on function app.seat_rate(uuid, uuid), app.seat_currency(uuid, uuid) from public;
grant execute on function app.seat_rate(uuid, uuid), app.seat_currency(uuid, uuid) to staff;

-- List views: outer joins, because counting leaves them out, and scalar sub-selects, because they are worked out for the rows of the page only.
create view public.license_list with (security_invoker = true) as
  select s.customer_id, s.id, c.name as customer_name, s.tenant_id, t.name as tenant_name, s.sku_id, s.part_number, s.name, s.status,
         s.purchased, s.suspended, s.warning, s.assigned, greatest(s.purchased - s.assigned, 0) as unassigned,
         (select count(*)::integer from public.person_licenses x join public.tenant_people p on p.customer_id = x.customer_id and p.id = x.person_id
            where x.customer_id = s.customer_id and x.sku_id = s.sku_id and x.missing_since is null
              and p.tenant_id = s.tenant_id and p.missing_since is null and not p.account_enabled) as assigned_disabled,
         -- Nothing is said of anybody's activity unless sign-ins were read.
         (select count(*)::integer from public.person_licenses x join public.tenant_people p on p.customer_id = x.customer_id and p.id = x.person_id
            where x.customer_id = s.customer_id and x.sku_id = s.sku_id and x.missing_since is null
              and p.tenant_id = s.tenant_id and p.missing_since is null and p.account_enabled
              and coalesce(p.last_sign_in_at, '-infinity') < now() - interval '90 days'
              and coalesce(p.created_in_vendor_at, '-infinity') < now() - interval '30 days'
            having exists (select from public.tenant_parts a
              where a.customer_id = s.customer_id and a.tenant_id = s.tenant_id and a.part = 'sign_ins' and a.state = 'complete')) as inactive_90d,
         (select app.seat_rate(s.customer_id, s.sku_id)) as rate, (select app.seat_currency(s.customer_id, s.sku_id)) as currency,
         (greatest(s.purchased - s.assigned, 0) * (select app.seat_rate(s.customer_id, s.sku_id)))::numeric(14,2) as money_unassigned_per_month,
         s.observed_at, least(s.observed_at + (select app.source_stale_after(t.integration_id)), (select app.access_lost_since(t.integration_id, t.external_id))) as stale_at, s.is_complete, s.missing_since
  from public.license_skus s
  left join public.customers c on c.id = s.customer_id
  left join public.tenants t on t.customer_id = s.customer_id and t.id = s.tenant_id;
comment on view public.license_list is 'What each tenant has bought of each license, what is assigned, to whom it does nothing, and what the rest costs: for the list screen.';
grant select on public.license_list to staff;

create view public.leaver_list with (security_invoker = true) as
  select p.customer_id, p.id, c.name as customer_name, p.tenant_id, t.name as tenant_name, p.user_principal_name, p.display_name, p.user_type,
         p.account_enabled, p.disabled_seen_at, p.last_sign_in_at, p.roles, p.sku_ids, cardinality(p.sku_ids) as licenses_count,
         (select coalesce(array_agg(s.name order by s.name), '{}') from public.license_skus s
            where s.customer_id = p.customer_id and s.tenant_id = p.tenant_id and s.sku_id = any (p.sku_ids)) as licenses,
         (select coalesce(jsonb_agg(h.held order by h.place, h.what), '[]') from (
            select 1 as place, s.name as what, jsonb_build_object('kind', 'license', 'what', s.name, 'todo', 'Take the license away, or turn the mailbox into a shared one first.') as held
              from public.license_skus s where s.customer_id = p.customer_id and s.tenant_id = p.tenant_id and s.sku_id = any (p.sku_ids)
            union all
            select 2, r.role, jsonb_build_object('kind', 'role', 'what', r.role, 'todo', 'Remove the role assignment.') from unnest(p.roles) r (role)
            union all
            select 3, d.name, jsonb_build_object('kind', 'device', 'what', d.name, 'todo', 'Only a hint: its last user has the same name. Ask for it back, or give it to somebody else.')
              from public.devices d where d.customer_id = p.customer_id and d.missing_since is null and d.last_user is not null
                and lower(regexp_replace(d.last_user, '^.*\\', '')) in (lower(p.user_principal_name), lower(split_part(p.user_principal_name, '@', 1)))) h) as holds,
         (select sum(app.seat_rate(p.customer_id, x.sku))::numeric(14,2) from unnest(p.sku_ids) x (sku)) as money_per_month,
         (select app.seat_currency(p.customer_id, x.sku) as currency from unnest(p.sku_ids) x (sku) order by 1 limit 1) as currency,
         p.observed_at, least(p.observed_at + (select app.row_stale_after(t.integration_id)), (select app.access_lost_since(t.integration_id, t.external_id))) as stale_at, p.is_complete
  from public.tenant_people p
  left join public.customers c on c.id = p.customer_id
  left join public.tenants t on t.customer_id = p.customer_id and t.id = p.tenant_id
  where p.is_leaver;
comment on view public.leaver_list is 'Accounts that cannot sign in and still hold licenses or roles, with what to do about each: for the list screen.';
grant select on public.leaver_list to staff;

create view public.sku_list with (security_invoker = true) as
  select s.sku_id, min(s.part_number) as part_number, min(s.name) as name, count(*)::integer as tenants, sum(s.purchased)::integer as purchased, sum(s.assigned)::integer as assigned
  from public.license_skus s where s.missing_since is null group by s.sku_id;
comment on view public.sku_list is 'Each license once over all tenants that the caller sees, for choosing what a product stands for.';
grant select on public.sku_list to staff;

create view public.person_license_list with (security_invoker = true) as
  select x.customer_id, x.id, x.person_id, x.sku_id, coalesce(s.name, x.sku_id::text) as name, s.part_number, x.assigned_at, x.by_group, x.error, x.missing_since
  from public.person_licenses x
  join public.tenant_people p on p.customer_id = x.customer_id and p.id = x.person_id
  left join public.license_skus s on s.customer_id = x.customer_id and s.tenant_id = p.tenant_id and s.sku_id = x.sku_id;
comment on view public.person_license_list is 'What one account holds and held, with the names of the licenses.';
grant select on public.person_license_list to authenticated, staff;
