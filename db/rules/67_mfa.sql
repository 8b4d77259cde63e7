-- Outcomes are worked out by background work; a customer's own people see theirs in one sentence, the provider's people with the whole chain.
select app.protect('public.mfa_results', 'people', '{select}');
revoke select on public.mfa_results from authenticated;
grant select (customer_id, person_id, tenant_id, outcome, is_admin, reason_kind, reason_text, fix, legacy_open, since, evaluated_at, observed_at) on public.mfa_results to authenticated;

-- Exceptions are made and taken back through the function `mfa` only, by whoever holds mfa:manage.
select app.protect('public.mfa_exceptions', 'people', '{select}');
revoke select on public.mfa_exceptions from authenticated;
grant select (customer_id, id, person_id, until, created_at, ended_at) on public.mfa_exceptions to authenticated;
-- Which customers have one that ran out: keys and times only.
create policy system_select on public.mfa_exceptions for select to system using (true);
grant select (customer_id, person_id, until, ended_at) on public.mfa_exceptions to system;
select app.watch('public.mfa_exceptions');

create view public.person_list with (security_invoker = true) as
  select p.customer_id, p.id, c.name as customer_name, p.tenant_id, t.name as tenant_name, p.user_principal_name, p.display_name, p.mail, p.user_type,
         p.account_enabled, p.disabled_seen_at, p.created_in_vendor_at, p.last_sign_in_at, p.department, p.job_title, p.is_synced, p.is_admin, p.roles,
         p.methods, p.mfa_registered, p.per_user_mfa, p.sku_ids, cardinality(p.sku_ids) as licenses_count,
         (select coalesce(array_agg(s.name order by s.name), '{}') from public.license_skus s
            where s.customer_id = p.customer_id and s.tenant_id = p.tenant_id and s.sku_id = any (p.sku_ids)) as licenses,
         m.outcome as mfa_outcome, m.reason_kind as mfa_reason_kind, m.reason_text as mfa_reason_text, m.fix as mfa_fix,
         m.legacy_open as mfa_legacy_open, m.since as mfa_since, m.evaluated_at as mfa_evaluated_at,
         m.observed_at as mfa_observed_at,
         (select x.until from public.mfa_exceptions x where x.customer_id = p.customer_id and x.person_id = p.id and x.ended_at is null) as mfa_accepted_until,
         p.is_leaver, p.observed_at, least(p.observed_at + (select app.row_stale_after(t.integration_id)), (select app.access_lost_since(t.integration_id, t.external_id))) as stale_at, p.is_complete, p.missing_since
  from public.tenant_people p
  left join public.customers c on c.id = p.customer_id
  left join public.tenants t on t.customer_id = p.customer_id and t.id = p.tenant_id
  left join public.mfa_results m on m.customer_id = p.customer_id and m.person_id = p.id;
comment on view public.person_list is 'Accounts of tenants with their licenses and whether they are asked for a second factor, for the list screen.';
grant select on public.person_list to authenticated, staff;

create view public.tenant_list with (security_invoker = true) as
  select t.customer_id, t.id, c.name as customer_name, t.integration_id, t.external_id, t.name, t.default_domain, t.initial_domain, t.domains, t.country,
         t.has_premium, t.security_defaults,
         (select coalesce(jsonb_agg(jsonb_build_object('part', a.part, 'state', a.state, 'reason', a.reason, 'permission', a.permission, 'observed_at', a.observed_at,
            'attempted_at', a.attempted_at, 'rows', a.row_count) order by a.part), '[]') from public.tenant_parts a
            where a.customer_id = t.customer_id and a.tenant_id = t.id) as parts,
         -- Whether Microsoft tells of changes says nothing about what was read.
         (select count(*)::integer from public.tenant_parts a where a.customer_id = t.customer_id and a.tenant_id = t.id and a.part <> 'subscriptions' and a.state = 'complete') as parts_complete,
         (select count(*)::integer from public.tenant_parts a where a.customer_id = t.customer_id and a.tenant_id = t.id and a.part <> 'subscriptions') as parts_total,
         -- That a tenant without Entra ID P1 has no sign-ins to read is no trouble of its own.
         (select a.reason from public.tenant_parts a where a.customer_id = t.customer_id and a.tenant_id = t.id and a.part <> 'subscriptions' and a.state <> 'complete'
              and not (a.part in ('sign_ins', 'sign_in_log') and t.has_premium is false)
            order by case a.state when 'failed' then 1 when 'partial' then 2 else 3 end, a.part limit 1) as worst_reason,
         (select a.state from public.tenant_parts a where a.customer_id = t.customer_id and a.tenant_id = t.id and a.part <> 'subscriptions'
              and not (a.part in ('sign_ins', 'sign_in_log') and t.has_premium is false)
            order by case a.state when 'failed' then 1 when 'partial' then 2 when 'denied' then 3 else 4 end, a.part limit 1) as worst_state,
         (select count(*)::integer from public.tenant_people p where p.customer_id = t.customer_id and p.tenant_id = t.id and p.missing_since is null) as people,
         (select count(*)::integer from public.mfa_results m where m.customer_id = t.customer_id and m.tenant_id = t.id and m.outcome = 'protected') as mfa_protected,
         (select count(*)::integer from public.mfa_results m where m.customer_id = t.customer_id and m.tenant_id = t.id and m.outcome = 'exempt') as mfa_exempt,
         (select count(*)::integer from public.mfa_results m where m.customer_id = t.customer_id and m.tenant_id = t.id and m.outcome = 'gap') as mfa_gap,
         (select count(*)::integer from public.mfa_results m where m.customer_id = t.customer_id and m.tenant_id = t.id and m.outcome = 'unknown') as mfa_unknown,
         (select count(*)::integer from public.mfa_results m where m.customer_id = t.customer_id and m.tenant_id = t.id and m.outcome = 'gap' and m.is_admin) as mfa_gap_admins,
         (select count(*)::integer from public.access_policies a where a.customer_id = t.customer_id and a.tenant_id = t.id and a.missing_since is null and a.state = 'enabled') as policies_on,
         (select min(a.observed_at) from public.tenant_parts a where a.customer_id = t.customer_id and a.tenant_id = t.id) as oldest_observed_at,
         t.observed_at, least(t.observed_at + (select app.row_stale_after(t.integration_id)), (select app.access_lost_since(t.integration_id, t.external_id))) as stale_at, t.is_complete, t.missing_since
  from public.tenants t left join public.customers c on c.id = t.customer_id;
comment on view public.tenant_list is 'Tenants with what was read of them, what could not be and why, and how many accounts are asked for a second factor: for the list screen.';
grant select on public.tenant_list to staff;

create view public.mfa_overview with (security_invoker = true) as
  select r.customer_id, c.name as customer_name, count(*)::integer as people,
         count(*) filter (where r.outcome = 'protected')::integer as protected, count(*) filter (where r.outcome = 'exempt')::integer as exempt,
         count(*) filter (where r.outcome = 'gap')::integer as gap, count(*) filter (where r.outcome = 'unknown')::integer as unknown,
         count(*) filter (where r.outcome = 'gap' and r.is_admin)::integer as gap_admins,
         min(r.observed_at) as oldest_observed_at, max(r.evaluated_at) as evaluated_at
  from public.mfa_results r left join public.customers c on c.id = r.customer_id
  group by grouping sets ((r.customer_id, c.name), ());
comment on view public.mfa_overview is 'How many accounts are asked for a second factor wherever they sign in: per customer, and in total where customer_id is null.';
grant select on public.mfa_overview to staff;
