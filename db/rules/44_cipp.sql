-- CIPP's word on tenants and their settings: the provider's people read it, background work writes it. Portal users see none of it.
do $$
declare
  target text;
begin
  foreach target in array array['cipp_tenants', 'cipp_tenant_parts', 'tenant_settings', 'tenant_setting_changes'] loop
    execute format('create policy staff_select on public.%I for select to staff using ((select app.has(''people:read'')))', target);
    execute format('create policy worker_all on public.%I for all to worker using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()))', target);
    execute format('grant select on public.%I to staff', target);
    execute format('grant select, insert, update, delete on public.%I to worker', target);
  end loop;
end $$;
-- Where a tenant is filed, over all customers: so that one that was mapped anew is never shown to two. Keys only, no facts.
create policy system_select on public.cipp_tenants for select to system using (true);
grant select (customer_id, id, integration_id, external_id, missing_since) on public.cipp_tenants to system;

-- What ends when belongs to the connection: rows of organizations without a customer are shown, too.
select app.protect_provider('public.integration_expiries', 'integrations', '{select}');
select app.open_to_system('public.integration_expiries');

create view public.cipp_tenant_list with (security_invoker = true) as
  select t.customer_id, t.id, c.name as customer_name, t.integration_id, t.external_id, t.name, t.default_domain, t.initial_domain,
         t.is_excluded, t.graph_error_count, t.last_graph_error, t.requires_refresh, t.access_kind, t.access_ends_at, t.access_renews,
         p.state as settings_state, p.reason as settings_reason, p.permission as settings_permission, p.observed_at as settings_observed_at, p.attempted_at as settings_attempted_at,
         (select count(*)::integer from public.tenant_settings s
            where s.customer_id = t.customer_id and s.cipp_tenant_id = t.id and s.missing_since is null) as settings,
         (select count(*)::integer from public.tenant_settings s
            where s.customer_id = t.customer_id and s.cipp_tenant_id = t.id and s.missing_since is null and s.expected is not null and s.value is distinct from s.expected) as settings_unlike,
         t.observed_at, least(t.observed_at + (select app.source_stale_after(t.integration_id)), (select app.access_lost_since(t.integration_id, t.external_id))) as stale_at, t.is_complete, t.missing_since
  from public.cipp_tenants t
  left join public.customers c on c.id = t.customer_id
  left join public.cipp_tenant_parts p on p.customer_id = t.customer_id and p.cipp_tenant_id = t.id and p.part = 'settings';
comment on view public.cipp_tenant_list is 'Tenants as CIPP reports them: whether reads work, how long access lasts, and how far settings were read. For the list screen.';
grant select on public.cipp_tenant_list to staff;

create view public.tenant_setting_list with (security_invoker = true) as
  select s.customer_id, s.id, c.name as customer_name, s.cipp_tenant_id, t.name as tenant_name, s.setting, s.value, s.expected,
         case when s.expected is not null then s.value is not distinct from s.expected end as is_as_expected,
         s.changed_at, s.refreshed_at, s.observed_at, least(s.observed_at + (select app.source_stale_after(t.integration_id)), (select app.access_lost_since(t.integration_id, t.external_id))) as stale_at, s.is_complete, s.missing_since
  from public.tenant_settings s
  left join public.customers c on c.id = s.customer_id
  left join public.cipp_tenants t on t.customer_id = s.customer_id and t.id = s.cipp_tenant_id;
comment on view public.tenant_setting_list is 'Settings of tenants with what a template of CIPP wants, for the list screen.';
grant select on public.tenant_setting_list to staff;

-- What is prepared for the customer is the provider's work: no member sees it but in the ticket.
create policy staff_select on public.expiry_renewals for select to staff using ((select app.has('integrations:read')));
create policy worker_all on public.expiry_renewals for all to worker using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
grant select on public.expiry_renewals to staff;
grant select, insert, update, delete on public.expiry_renewals to worker;
-- Which of them are renewed, over all customers: keys only.
create policy system_select on public.expiry_renewals for select to system using (true);
grant select (customer_id, integration_id, kind, external_id, ticket_id, opened_at) on public.expiry_renewals to system;
select app.watch('public.expiry_renewals');

-- What a vendor says when it ends; our own credentials, of which only the last use is known until a person enters their end; and every tenant's
-- consent, which ends when somebody revokes it.
create view public.expiry_list with (security_invoker = true) as
  select e.integration_id, e.kind, e.external_id, e.integration_id::text || '/' || e.kind || '/' || e.external_id as id, i.name as integration_name, i.vendor,
         e.customer_id, c.name as customer_name, e.subject, e.ends_at, e.renews, e.source, e.last_proved_at,
         case when e.ends_at <= now() then 'ended' when e.ends_at <= now() + interval '7 days' then 'week'
              when e.ends_at <= now() + interval '30 days' then 'month' when e.ends_at <= now() + interval '90 days' then 'quarter' else 'later' end as state,
         e.observed_at, e.observed_at + (select app.source_stale_after(e.integration_id)) as stale_at, r.ticket_id
  from public.integration_expiries e
  left join public.integrations i on i.id = e.integration_id
  left join public.customers c on c.id = e.customer_id
  left join public.expiry_renewals r on r.customer_id = e.customer_id and r.integration_id = e.integration_id and r.kind = e.kind and r.external_id = e.external_id
  union all
  select i.id, 'secret', 'own', i.id::text || '/secret/own', i.name, i.vendor, null, null, 'Credentials of ' || i.name, i.credentials_failed_at, null, 'use', last.at,
         case when i.credentials_failed_at is null then 'open' else 'ended' end, coalesce(i.credentials_failed_at, last.at), null, null
  from public.integrations i
  left join lateral (select max(r.ended_at) as at from public.sync_runs r where r.integration_id = i.id and r.state in ('complete', 'partial')) last on true
  where i.enabled and i.credentials_end_at is null
  union all
  select k.integration_id, 'consent', k.external_id, k.integration_id::text || '/consent/' || k.external_id, i.name, i.vendor, o.customer_id, c.name,
         'Consent of ' || o.name, k.failing_since, null, 'canary', k.proved_at,
         case k.state when 'failing' then 'ended' when 'proven' then 'open' else 'never' end, k.attempted_at, k.attempted_at + interval '2 hours', null
  from public.tenant_canaries k
  join public.integrations i on i.id = k.integration_id and i.enabled
  join public.integration_organizations o on o.integration_id = k.integration_id and o.external_id = k.external_id and o.customer_id is not null and o.missing_since is null
  left join public.customers c on c.id = o.customer_id
  where k.class = 'access';
comment on view public.expiry_list is 'What ends by itself, soonest first: for the expiry calendar.';
grant select on public.expiry_list to staff;
