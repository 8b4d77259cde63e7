-- What happens in tenants is for the provider's people who may read people; background work writes it for one customer. Portal users see none of it: it
-- names the provider's own people.
do $$
declare
  target text;
begin
  foreach target in array array['directory_changes', 'tenant_sign_ins', 'activity_spans'] loop
    execute format('create policy staff_select on public.%I for select to staff using ((select app.has(''people:read'')))', target);
    execute format('create policy worker_all on public.%I for all to worker using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()))', target);
    execute format('grant select on public.%I to staff', target);
    execute format('grant select, insert, update, delete on public.%I to worker', target);
  end loop;
end $$;

create view public.directory_change_list with (security_invoker = true) as
  select e.customer_id, e.id, c.name as customer_name, e.tenant_id, t.name as tenant_name, e.happened_at, e.activity, e.category, e.service, e.outcome, e.outcome_reason,
         e.actor_kind, e.actor_name, e.actor_ip, e.target_kind, e.target_external, e.target_name, e.further_targets, e.properties, e.observed_at,
         (select coalesce(array_agg(s.name order by s.name), '{}') from public.license_skus s
            where s.customer_id = e.customer_id and s.tenant_id = e.tenant_id and s.sku_id = any (e.skus_added)) as licenses_added,
         (select coalesce(array_agg(s.name order by s.name), '{}') from public.license_skus s
            where s.customer_id = e.customer_id and s.tenant_id = e.tenant_id and s.sku_id = any (e.skus_removed)) as licenses_removed,
         cardinality(e.skus_added) + cardinality(e.skus_removed) > 0 as changes_licenses,
         p.id as person_id
  from public.directory_changes e
  left join public.tenant_people p on p.customer_id = e.customer_id and p.tenant_id = e.tenant_id and p.external_id = e.target_external
  left join public.customers c on c.id = e.customer_id
  left join public.tenants t on t.customer_id = e.customer_id and t.id = e.tenant_id;
comment on view public.directory_change_list is 'What was changed in the directories of tenants, by whom, with the names of licenses: for the list screen.';
grant select on public.directory_change_list to staff;

create view public.sign_in_list with (security_invoker = true) as
  select e.customer_id, e.id, c.name as customer_name, e.tenant_id, t.name as tenant_name, e.happened_at, e.user_external, e.user_name, e.user_principal_name,
         e.app_name, e.client_app, e.ip_address, e.city, e.country, e.device_name, e.operating_system, e.outcome, e.error_code, e.reason, e.conditional_access, e.risk, e.observed_at,
         p.id as person_id
  from public.tenant_sign_ins e
  left join public.tenant_people p on p.customer_id = e.customer_id and p.tenant_id = e.tenant_id and p.external_id = e.user_external
  left join public.customers c on c.id = e.customer_id
  left join public.tenants t on t.customer_id = e.customer_id and t.id = e.tenant_id;
comment on view public.sign_in_list is 'Sign-ins of the accounts of tenants, for the list screen.';
grant select on public.sign_in_list to staff;

-- One line for each stream of each tenant that is there.
create view public.activity_coverage_list with (security_invoker = true) as
  select t.customer_id, t.id, c.name as customer_name, t.name as tenant_name, x.stream,
         case when k.gap_from is not null or k.is_behind then 'gap' when k.covered_to is null then case when a.state = 'denied' then 'not_offered' else 'waiting' end
              when k.lost > 0 then 'lost' else 'whole' end as state,
         case when k.gap_from is not null or k.is_behind then 1 when k.covered_to is null then case when a.state = 'denied' then 4 else 2 end
              when k.lost > 0 then 3 else 5 end::smallint as state_rank,
         k.covered_from, k.covered_to, case when k.gap_from is not null or k.is_behind then coalesce(k.gap_from, k.covered_to) end as gap_from, k.gap_to,
         case when k.gap_from is not null then k.reason when k.is_behind then 'no synchronization has come this far since' when k.covered_to is null then a.reason end as reason, k.permission, k.lost, k.event_count, k.late_count, k.spans, coalesce(k.attempted_at, a.attempted_at) as attempted_at,
         k.covered_to as observed_at, k.covered_to + (select app.source_stale_after(t.integration_id)) as stale_at, k.gap_from is null and k.covered_to is not null and not k.is_behind as is_complete
  from public.tenants t
  cross join (values ('directory_changes'), ('sign_in_log')) x (stream)
  left join public.customers c on c.id = t.customer_id
  left join public.tenant_parts a on a.customer_id = t.customer_id and a.tenant_id = t.id and a.part = x.stream
  left join lateral (
    select min(s.from_at) filter (where s.state = 'read') as covered_from, max(s.to_at) filter (where s.state = 'read') as covered_to,
           min(s.from_at) filter (where s.state = 'gap') as gap_from, max(s.to_at) filter (where s.state = 'gap') as gap_to,
           max(s.reason) filter (where s.state = 'gap') as reason, max(s.permission) filter (where s.state = 'gap') as permission,
           -- A run that ended before it came here leaves no gap behind: time does.
           coalesce(max(s.to_at) filter (where s.state = 'read') + (select app.source_stale_after(t.integration_id)) < now(), false) as is_behind,
           count(*) filter (where s.state = 'lost')::integer as lost, coalesce(sum(s.event_count), 0)::integer as event_count, coalesce(sum(s.late_count), 0)::integer as late_count,
           max(s.attempted_at) as attempted_at,
           coalesce(jsonb_agg(jsonb_build_object('state', s.state, 'from', s.from_at, 'to', s.to_at, 'reason', s.reason) order by s.from_at, s.to_at), '[]') as spans
    from public.activity_spans s where s.customer_id = t.customer_id and s.tenant_id = t.id and s.stream = x.stream) k on true
  where t.missing_since is null;
comment on view public.activity_coverage_list is 'From when to when the events of each tenant were read without a gap, what is missing and why: for the list screen.';
grant select on public.activity_coverage_list to staff;

-- Whether Microsoft tells of changes is the provider's; nobody reads the hash of a secret.
select app.protect_provider('public.tenant_subscriptions', 'integrations', '{select}');
revoke select on public.tenant_subscriptions from staff;
grant select (integration_id, tenant_external, external_id, asked_at, expires_at, renewed_at, renew_now, due_at, told_at, told_count, missed_count) on public.tenant_subscriptions to staff;
