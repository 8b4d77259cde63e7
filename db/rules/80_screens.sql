-- Views that one screen reads as a whole.
create view public.source_list with (security_invoker = true) as
  select i.id, i.vendor, i.name, i.base_url, i.enabled, i.webhook_registered_at, i.credentials_failed_at, i.credentials_problem,
         last_run.id as last_run_id, last_run.kind as last_kind, last_run.state::text as last_state, last_run.queued_at as last_queued_at,
         last_run.ended_at as last_ended_at, good.ended_at as last_complete_at,
         good.ended_at + app.source_stale_after(i.sync_interval_s) as stale_at,
         extract(epoch from app.source_stale_after(i.sync_interval_s))::integer as stale_after_s,
         extract(epoch from app.row_stale_after(i.sync_interval_s, i.full_sync_interval_s))::integer as row_stale_after_s,
         held.id as held_run_id, held.rows as held_rows,
         parts.total as parts_total, parts.complete as parts_complete, parts.suspect as parts_suspect, parts.rows_read,
         orgs.total as organizations, orgs.unmapped as organizations_unmapped, orgs.devices_unmapped
  from public.integrations i
  left join lateral (select r.id, r.kind, r.state, r.queued_at, r.ended_at from public.sync_runs r where r.integration_id = i.id order by r.queued_at desc limit 1) last_run on true
  left join lateral (select r.ended_at from public.sync_runs r where r.integration_id = i.id and r.state = 'complete' order by r.queued_at desc limit 1) good on true
  left join lateral (
    select count(*)::integer as total, count(*) filter (where p.state = 'complete')::integer as complete,
           count(*) filter (where p.state = 'suspect')::integer as suspect, sum(p.rows_read)::integer as rows_read
    from public.sync_parts p where p.sync_run_id = last_run.id) parts on true
  left join lateral (
    select p.sync_run_id as id, sum(p.rows_to_ask)::integer as rows from public.sync_parts p
    where p.sync_run_id = app.held_run(i.id) and p.state = 'suspect' and p.rows_to_ask is not null group by 1) held on true
  left join lateral (
    select count(*)::integer as total, count(*) filter (where o.customer_id is null)::integer as unmapped,
           coalesce(sum(o.devices_seen) filter (where o.customer_id is null), 0)::integer as devices_unmapped
    from public.integration_organizations o where o.integration_id = i.id and o.missing_since is null) orgs on true;
comment on view public.source_list is 'Each source with its last synchronization, completeness, when it is stale, what is held back, and unmapped organizations.';
grant select on public.source_list to staff;

-- Every count is a scalar sub-select over an index that begins with the customer: worked out for the rows that are asked for, and in one statement.
create view public.customer_list with (security_invoker = true) as
  select c.id, c.slug, c.code, c.name, c.created_at, c.archived_at,
         (select count(*)::integer from public.devices d where d.customer_id = c.id and d.missing_since is null) as devices,
         -- The hour narrows by index; the exact rule decides.
         (select count(*)::integer from public.devices d where d.customer_id = c.id and d.missing_since is null
            and d.observed_hour < now() - (select app.row_stale_after_least())
            and d.observed_at < now() - app.row_stale_after(d.integration_id)) as devices_stale,
         (select count(*)::integer from public.devices d where d.customer_id = c.id and d.missing_since is null and not d.is_complete) as devices_partial,
         (select count(*)::integer from public.alerts a where a.customer_id = c.id and a.state <> 'resolved') as alerts_open,
         (select count(*)::integer from public.incidents i where i.customer_id = c.id and i.state <> 'resolved') as incidents_open,
         (select count(*)::integer from public.incidents i where i.customer_id = c.id and i.state = 'needs_attention') as incidents_need_attention,
         (select count(*)::integer from flow.approvals a where a.customer_id = c.id and a.state = 'waiting') as approvals_waiting,
         (select count(*)::integer from public.tickets t where t.customer_id = c.id and t.state not in ('resolved', 'closed')) as tickets_open,
         (select count(*)::integer from public.tickets t where t.customer_id = c.id and t.state not in ('resolved', 'closed')
            and t.first_response_due_at < now() and t.first_response_at is null) as tickets_breached,
         -- A device of the oldest hour: exact to the hour.
         (select d.observed_at from public.devices d where d.customer_id = c.id and d.missing_since is null order by d.observed_hour limit 1) as oldest_observed_at,
         (select d.observed_at + app.row_stale_after(d.integration_id) from public.devices d
            where d.customer_id = c.id and d.missing_since is null order by d.observed_hour limit 1) as oldest_stale_at
  from public.customers c;
comment on view public.customer_list is 'Customers with what is open, stale and waiting: for the list screen, the overview and the navigation.';

create view public.overview with (security_invoker = true) as
  select
    (select count(*)::integer from public.incidents i where i.state <> 'resolved') as incidents_open,
    (select count(*)::integer from public.incidents i where i.state = 'needs_attention') as incidents_need_attention,
    (select count(*)::integer from flow.approvals a where a.state = 'waiting') as approvals_waiting,
    (select count(*)::integer from flow.changes x where x.state = 'verified' and x.created_at > now() - interval '30 days') as changes_verified_30d,
    (select count(*)::integer from flow.changes x where x.state = 'unverified' and x.created_at > now() - interval '30 days') as changes_unverified_30d,
    (select count(*)::integer from public.tickets t where t.state not in ('resolved', 'closed')) as tickets_open,
    (select count(*)::integer from public.alerts a where a.state <> 'resolved') as alerts_open,
    (select count(*)::integer from public.devices d where d.missing_since is null) as devices,
    (select count(*)::integer from public.devices d where d.missing_since is null and not d.is_complete) as devices_partial,
    -- By customer, because the oldest of each is the first entry of an index.
    oldest.observed_at as oldest_observed_at, oldest.stale_at as oldest_stale_at,
    (select percentile_cont(0.5) within group (order by extract(epoch from t.first_response_at - t.opened_at) / 60)
       from public.tickets t where t.first_response_at is not null and t.opened_at > now() - interval '30 days')::numeric(10,1) as first_response_minutes_median
  from (select min(l.oldest_observed_at) as observed_at, min(l.oldest_stale_at) as stale_at from public.customer_list l) oldest;
comment on view public.overview is 'One row of figures for the start page, within what the caller may see.';
grant select on public.customer_list, public.overview to authenticated, staff;

create view public.alerts_by_hour with (security_invoker = true) as
  select a.customer_id, date_trunc('hour', a.first_seen_at) as hour, count(*)::integer as alerts
  from public.alerts a where a.first_seen_at > now() - interval '24 hours' group by 1, 2;
comment on view public.alerts_by_hour is 'Alerts raised per hour of the last day.';
create view public.sla_by_priority with (security_invoker = true) as
  select t.customer_id, t.priority::text as priority, count(*)::integer as tickets,
         count(*) filter (where coalesce(t.first_response_at, now()) <= t.first_response_due_at)::integer as within_target
  from public.tickets t where t.opened_at > now() - interval '30 days' group by 1, 2;
comment on view public.sla_by_priority is 'First responses within target per priority, last 30 days.';
grant select on public.alerts_by_hour, public.sla_by_priority to authenticated, staff;
