-- Posture is for the provider's people who may read people; background work writes it for one customer. Portal users see none of it.
do $$
declare
  target text;
begin
  foreach target in array array['tenant_app_credentials', 'tenant_secure_scores', 'tenant_mail_domains', 'mailbox_forwardings', 'posture_tenants', 'posture_checks', 'posture_findings',
    'posture_days'] loop
    execute format('create policy staff_select on public.%I for select to staff using ((select app.has(''people:read'')))', target);
    execute format('create policy worker_all on public.%I for all to worker using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()))', target);
    execute format('grant select on public.%I to staff', target);
    execute format('grant select, insert, update, delete on public.%I to worker', target);
  end loop;
end $$;
-- A check that was worked out again with the same outcome is no change; what was found is.
create trigger audit after insert or delete on public.posture_checks for each row execute function app.audit();
create trigger audit_change after update on public.posture_checks for each row
  when ((old.outcome, old.severity, old.findings, old.missing_read) is distinct from (new.outcome, new.severity, new.findings, new.missing_read)) execute function app.audit();
-- Which tenants are due: keys and times only.
create policy system_select on public.posture_tenants for select to system using (true);
grant select (customer_id, id, due_at) on public.posture_tenants to system;

-- A part of a tenant was read, whole or not, or the tenant came, went or moved: its checks are due. By background work, for its customer.
create or replace function app.posture_is_due(p_customer uuid, p_external text, p_name text) returns void language sql volatile set search_path = '' as $$
  insert into public.posture_tenants as p (customer_id, external_id, name, due_at) values (p_customer, lower(p_external), p_name, '-infinity')
  on conflict (customer_id, external_id) do update set due_at = '-infinity' where p.due_at > '-infinity'
$$;
create or replace function app.posture_read() returns trigger language plpgsql set search_path = '' as $$
declare
  external text;
  named text;
begin
  case tg_table_name
    when 'tenant_parts' then
      select t.external_id, t.name into external, named from public.tenants t where t.customer_id = new.customer_id and t.id = new.tenant_id;
    when 'cipp_tenant_parts' then
      select t.external_id, t.name into external, named from public.cipp_tenants t where t.customer_id = new.customer_id and t.id = new.cipp_tenant_id;
    when 'document_site_parts' then
      select t.external_id, t.name into external, named from public.document_tenants t join public.document_sites s on s.customer_id = t.customer_id and s.tenant_id = t.id
        where s.customer_id = new.customer_id and s.id = new.site_id;
    when 'mfa_exceptions' then
      select t.external_id, t.name into external, named from public.tenants t join public.tenant_people p on p.customer_id = t.customer_id and p.tenant_id = t.id
        where p.customer_id = new.customer_id and p.id = new.person_id;
    else
      external := new.external_id;
      named := new.name;
  end case;
  if external is not null then
    perform app.posture_is_due(new.customer_id, external, named);
  end if;
  return null;
end $$;
create trigger posture_read after insert or update on public.tenant_parts for each row
  when (new.part in ('people', 'sign_ins', 'policies', 'roles', 'applications', 'secure_score')) execute function app.posture_read();
create trigger posture_read after insert or update on public.cipp_tenant_parts for each row
  when (new.part in ('mail_domains', 'forwardings')) execute function app.posture_read();
create trigger posture_read after insert or update on public.document_site_parts for each row when (new.part = 'sharing') execute function app.posture_read();
create trigger posture_accepted after insert or update on public.mfa_exceptions for each row execute function app.posture_read();
create trigger posture_added after insert on public.tenants for each row execute function app.posture_read();
create trigger posture_added after insert on public.cipp_tenants for each row execute function app.posture_read();
create trigger posture_added after insert on public.document_tenants for each row execute function app.posture_read();
create trigger posture_changed after update on public.tenants for each row
  when ((old.missing_since, old.name) is distinct from (new.missing_since, new.name)) execute function app.posture_read();
create trigger posture_changed after update on public.cipp_tenants for each row
  when ((old.missing_since, old.is_excluded) is distinct from (new.missing_since, new.is_excluded)) execute function app.posture_read();
create trigger posture_changed after update on public.document_tenants for each row
  when ((old.missing_since, old.state) is distinct from (new.missing_since, new.state)) execute function app.posture_read();
revoke all on function app.posture_is_due(uuid, text, text), app.posture_read() from public;
grant execute on function app.posture_is_due(uuid, text, text) to worker;

create view public.posture_check_list with (security_invoker = true) as
  select k.customer_id, k.id, c.name as customer_name, k.posture_tenant_id, p.external_id, p.name as tenant_name, k.check_key, k.title, k.severity, k.severity_rank, k.why, k.advice, k.outcome,
         case k.outcome when 'failed' then 1 when 'unknown' then 2 else 3 end::smallint as outcome_rank,
         k.findings, k.looked_at, k.known_at, k.missing_read, k.missing_reason, k.permission, k.reads, k.since, k.evaluated_at, k.observed_at,
         k.evaluated_at + interval '3 hours' as stale_at, k.outcome <> 'unknown' as is_complete,
         (select coalesce(jsonb_agg(jsonb_build_object('day', y.day, 'findings', y.findings, 'known', y.is_known) order by y.day), '[]') from
            (select d.day, d.findings, d.is_known from public.posture_days d
               where d.customer_id = k.customer_id and d.posture_tenant_id = k.posture_tenant_id and d.check_key = k.check_key order by d.day desc limit 60) y) as days
  from public.posture_checks k
  join public.posture_tenants p on p.customer_id = k.customer_id and p.id = k.posture_tenant_id and p.missing_since is null
  left join public.customers c on c.id = k.customer_id;
comment on view public.posture_check_list is 'What each check of each tenant came to, why, what to do, and its trend: for the list screen.';
grant select on public.posture_check_list to staff;

create view public.posture_tenant_list with (security_invoker = true) as
  select p.customer_id, p.id, c.name as customer_name, p.external_id, p.name, k.checks, k.failed, k.passed, k.unknown, k.findings, k.worst_rank,
         case when k.checks is null then 'waiting' when k.failed > 0 then 'failed' when k.unknown > 0 then 'unknown' else 'passed' end as state,
         k.outcomes, p.attempted_at as evaluated_at, k.observed_at, p.attempted_at + interval '3 hours' as stale_at, k.unknown = 0 as is_complete,
         (select coalesce(jsonb_agg(jsonb_build_object('day', y.day, 'findings', y.findings, 'known', y.known) order by y.day), '[]') from
            (select d.day, sum(d.findings)::integer as findings, bool_and(d.is_known) as known from public.posture_days d
               where d.customer_id = p.customer_id and d.posture_tenant_id = p.id group by d.day order by d.day desc limit 60) y) as days
  from public.posture_tenants p
  left join public.customers c on c.id = p.customer_id
  left join lateral (
    select nullif(count(*), 0)::integer as checks, count(*) filter (where x.outcome = 'failed')::integer as failed, count(*) filter (where x.outcome = 'passed')::integer as passed,
           count(*) filter (where x.outcome = 'unknown')::integer as unknown, coalesce(sum(x.findings), 0)::integer as findings,
           min(x.severity_rank) filter (where x.outcome = 'failed') as worst_rank, min(x.observed_at) as observed_at,
           coalesce(jsonb_agg(jsonb_build_object('id', x.id, 'check', x.check_key, 'title', x.title, 'severity', x.severity, 'outcome', x.outcome, 'findings', x.findings)
             order by x.severity_rank, x.check_key), '[]') as outcomes
    from public.posture_checks x where x.customer_id = p.customer_id and x.posture_tenant_id = p.id) k on true
  where p.missing_since is null;
comment on view public.posture_tenant_list is 'Tenants with the outcome of each check, and the findings of each day: for the list screen.';
grant select on public.posture_tenant_list to staff;

create view public.posture_finding_list with (security_invoker = true) as
  select f.customer_id, f.id, c.name as customer_name, k.posture_tenant_id, p.name as tenant_name, f.posture_check_id, k.check_key, k.title as check_title, k.severity, k.severity_rank,
         f.key, f.subject, f.detail, f.first_seen_at, k.known_at, k.outcome <> 'unknown' as is_current
  from public.posture_findings f
  join public.posture_checks k on k.customer_id = f.customer_id and k.id = f.posture_check_id
  join public.posture_tenants p on p.customer_id = k.customer_id and p.id = k.posture_tenant_id and p.missing_since is null
  left join public.customers c on c.id = f.customer_id;
comment on view public.posture_finding_list is 'Each thing that a check found, with its tenant, for the list screen.';
grant select on public.posture_finding_list to staff;

create view public.posture_overview with (security_invoker = true) as
  select k.customer_id, count(distinct k.posture_tenant_id)::integer as tenants, count(*)::integer as checks, count(*) filter (where k.outcome = 'passed')::integer as passed,
         count(*) filter (where k.outcome = 'failed')::integer as failed, count(*) filter (where k.outcome = 'unknown')::integer as unknown,
         coalesce(sum(k.findings), 0)::integer as findings, min(k.evaluated_at) as oldest_evaluated_at
  from public.posture_checks k
  join public.posture_tenants p on p.customer_id = k.customer_id and p.id = k.posture_tenant_id and p.missing_since is null
  group by grouping sets ((k.customer_id), ());
comment on view public.posture_overview is 'What the checks of tenants come to: per customer, and in total where customer_id is null.';
grant select on public.posture_overview to staff;
