-- What is billed is the billing system's word: people read it, background work writes it. Members see their own customer's lines and bills
-- without the vendor's raw record, which says our cost.
select app.protect_provider('public.billing_products', 'billing', '{select}');
select app.protect('public.billing_lines', 'billing', '{select}');
select app.protect('public.bills', 'billing', '{select}');
select app.protect('public.bill_charges', 'billing', '{select}');
select app.protect('public.payments', 'billing', '{select}');
select app.protect('public.billing_tickets', 'billing', '{select}');
revoke select on public.billing_lines, public.bills, public.payments, public.billing_tickets from authenticated;
grant select (customer_id, id, name, quantity, rate, currency, status, is_active, activated_at, billed_through_at, contract_end_at, disconnected_at, observed_at, is_complete,
  missing_since, created_at) on public.billing_lines to authenticated;
grant select (customer_id, id, integration_id, number, billed_at, due_at, total_amount, open_amount, currency, observed_at, is_complete) on public.bills to authenticated;
grant select (customer_id, id, integration_id, account_ref, reference, amount, currency, status, paid_at, observed_at, is_complete) on public.payments to authenticated;
grant select (customer_id, id, integration_id, account_ref, subject, status, opened_at, closed_at, observed_at, is_complete) on public.billing_tickets to authenticated;
-- Where the vendor's rows are filed, over all customers: so that an account that was mapped anew is never shown to two. Keys only, no facts.
create policy system_select on public.billing_lines for select to system using (true);
grant select (customer_id, integration_id, external_id, account_ref, seen_in_sync, missing_since) on public.billing_lines to system;
create policy system_select on public.bills for select to system using (true);
grant select (customer_id, integration_id, external_id, account_ref, seen_in_sync) on public.bills to system;
create policy system_select on public.payments for select to system using (true);
grant select (customer_id, integration_id, external_id, account_ref, seen_in_sync) on public.payments to system;
create policy system_select on public.billing_tickets for select to system using (true);
grant select (customer_id, integration_id, external_id, account_ref, seen_in_sync) on public.billing_tickets to system;

-- Rules: read with the rest, changed by whoever manages billing.
select app.protect_provider('public.count_rules', 'billing', '{select}');
revoke insert, update, delete on public.count_rules from worker;
create policy staff_insert on public.count_rules for insert to staff with check ((select app.has('billing:manage')));
create policy staff_update on public.count_rules for update to staff using ((select app.has('billing:manage'))) with check ((select app.has('billing:manage')));
create policy staff_delete on public.count_rules for delete to staff using ((select app.has('billing:manage')));
grant insert (id, name, billing_product_id, counts, device_classes, approved_only, sku_ids, seat_basis, multiplier, enabled) on public.count_rules to staff;
grant update (name, billing_product_id, counts, device_classes, approved_only, sku_ids, seat_basis, multiplier, enabled) on public.count_rules to staff;
grant delete on public.count_rules to staff;
select app.open_to_system('public.count_rules', 'select, insert');
select app.open_to_system('public.billing_products', 'select, insert');
select app.watch('public.count_rules');

-- Who made a rule is not the caller's to say.
create or replace function app.stamp_rule() returns trigger language plpgsql set search_path = '' as $$
begin
  new.created_by := app.user_id();
  return new;
end $$;
create trigger stamp_rule before insert on public.count_rules for each row execute function app.stamp_rule();

-- Differences are the provider's: no member sees one, whatever their permissions. Background work writes them for one customer.
create policy staff_select on public.count_differences for select to staff using ((select app.has('billing:read')));
create policy worker_all on public.count_differences for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
grant select on public.count_differences to staff;
grant select, insert, update on public.count_differences to worker;
-- Which customers have one, to look at those as well that lost their accounts: keys only.
create policy system_select on public.count_differences for select to system using (true);
grant select (customer_id, state) on public.count_differences to system;
-- A difference that was seen again unchanged is no change: freshness is written by a statement of its own.
create trigger audit after insert or delete or update of rule_id, line_id, counted, billed, difference, rate, money_per_month, cause, state, state_text,
    ignored_at, ignored_by, ignored_until, ignored_reason, run_id, changed_at, changed_quantity, bill_id, closed_at, close_reason on public.count_differences
  for each row execute function app.audit();

select app.protect_provider('public.reconciliations', 'billing', '{select}');

-- A run that changes what is billed is the provider's as well: members see neither it nor its steps, plan, decision or evidence.
create policy owner_select on flow.runs for select to owner using (subject_kind = 'count_difference');
create or replace function app.provider_runs() returns uuid[] language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(r.id), '{}') from flow.runs r
  where r.subject_kind = 'count_difference'
    and r.customer_id = any (app.customers_with('runs:read') || app.customers_with('approvals:read') || app.customers_with('evidence:read'))
$$;
comment on function app.provider_runs() is 'Definer: members may not see these runs, and must not see what belongs to them.';
revoke all on function app.provider_runs() from public;
grant execute on function app.provider_runs() to authenticated;
create policy member_not_the_providers on flow.runs as restrictive for select to authenticated
  using (subject_kind is distinct from 'count_difference');
create policy member_not_the_providers on flow.steps as restrictive for select to authenticated
  using (run_id <> all ((select app.provider_runs())::uuid[]));
create policy member_not_the_providers on flow.changes as restrictive for select to authenticated
  using (run_id <> all ((select app.provider_runs())::uuid[]));
create policy member_not_the_providers on flow.approvals as restrictive for select to authenticated
  using (run_id <> all ((select app.provider_runs())::uuid[]));
create policy member_not_the_providers on public.evidence as restrictive for select to authenticated
  using (run_id <> all ((select app.provider_runs())::uuid[]));

-- A name as it compares: without case, punctuation and the form of the company.
create or replace function app.plain_name(p_name text) returns text language sql immutable set search_path = '' as $$
  select trim(regexp_replace(regexp_replace(regexp_replace(lower(replace(p_name, '&', ' and ')), '[^[:alnum:]]+', ' ', 'g'),
    '\m(inc|incorporated|llc|llp|ltd|limited|gmbh|ag|corp|corporation|co|company|plc|bv|nv|sa|sas|sarl|pty|kg|ug|the)\M', ' ', 'g'), '\s+', ' ', 'g'))
$$;
revoke all on function app.plain_name(text), app.stamp_rule() from public;
grant execute on function app.plain_name(text) to staff;

create view public.organization_suggestions with (security_invoker = true) as
  with open as (
    select o.integration_id, o.external_id, o.name, o.account_number, o.domain, app.plain_name(o.name) as plain
    from public.integration_organizations o where o.customer_id is null and o.missing_since is null),
  -- Microsoft and CIPP name a tenant by the same id.
  same as (
    select t.external_id, min(t.customer_id::text)::uuid as customer_id
    from public.integration_organizations t join public.integrations i on i.id = t.integration_id
    where i.vendor in ('microsoft', 'cipp') and t.customer_id is not null and t.missing_since is null
    group by t.external_id having count(distinct t.customer_id) = 1),
  named as (
    select x.id, x.name, app.plain_name(x.name) as plain, count(*) over (partition by app.plain_name(x.name)) as alike
    from public.customers x where x.archived_at is null),
  -- A tenant that was read before, under another number or connection.
  domains as (
    select d.domain, min(t.customer_id::text)::uuid as customer_id
    from public.tenants t cross join unnest(t.domains) d (domain) group by d.domain having count(distinct t.customer_id) = 1)
  select o.integration_id, o.external_id, o.name, o.account_number, o.domain, coalesce(s.id, c.id, k.id) as customer_id,
         coalesce(s.name, c.name, k.name) as customer_name,
         case when s.id is not null then 'is the same tenant' when c.id is not null then 'has the domain ' || o.domain
              when o.name = k.name then 'has the same name' else 'has the same name but for case, punctuation or the form of the company' end as reason
  from open o
  left join same z on z.external_id = o.external_id
    and exists (select from public.integrations i where i.id = o.integration_id and i.vendor in ('microsoft', 'cipp'))
  left join public.customers s on s.id = z.customer_id and s.archived_at is null
  left join domains d on d.domain = o.domain
  left join public.customers c on c.id = d.customer_id and c.archived_at is null
  left join named k on k.plain = o.plain and k.alike = 1 and k.plain <> ''
  where coalesce(s.id, c.id, k.id) is not null;
comment on view public.organization_suggestions is 'Unmapped accounts of vendors with the only customer that has the same tenant, their domain, or else their name: for a person to confirm. Nothing is mapped by it.';
grant select on public.organization_suggestions to staff;

create view public.difference_list with (security_invoker = true) as
  select d.customer_id, d.id, c.name as customer_name, d.rule_id, r.name as rule_name, d.product_id, p.name as product_name, p.integration_id,
         d.line_id, l.external_id as line_ref, l.quantity as line_quantity, l.contract_end_at as line_contract_end_at,
         r.counts, d.counted, d.billed, d.difference, d.direction, d.rate, d.rate_source, d.money_per_month, d.money_so_far, d.prorated_since, d.currency,
         d.committed_until, d.committed_quantity, d.commitment_kind, d.committed_money, d.cause, d.cause ->> 'kind' as cause_kind, d.cause_text,
         d.state, d.state_text, d.first_seen_at, d.last_seen_at, extract(epoch from coalesce(d.closed_at, now()) - d.first_seen_at)::bigint as age_s,
         d.devices_observed_at, d.lines_observed_at, d.stale_since, d.stale_reason,
         d.ignored_at, d.ignored_by, d.ignored_until, d.ignored_reason, d.run_id, d.changed_at, d.changed_quantity,
         d.bill_id, b.number as bill_number, d.closed_at, d.close_reason, d.reconciliation_id
  from public.count_differences d
  left join public.customers c on c.id = d.customer_id
  left join public.count_rules r on r.id = d.rule_id
  left join public.billing_products p on p.id = d.product_id
  left join public.billing_lines l on l.customer_id = d.customer_id and l.id = d.line_id
  left join public.bills b on b.customer_id = d.customer_id and b.id = d.bill_id;
comment on view public.difference_list is 'Differences between what is counted and what is billed, with their names, for the list screen.';
grant select on public.difference_list to staff;

create view public.money_overview with (security_invoker = true) as
  select d.currency,
         count(*) filter (where d.state = 'open')::integer as differences_open,
         count(*) filter (where d.state = 'ignored')::integer as differences_ignored,
         count(*) filter (where d.state = 'changing')::integer as differences_changing,
         count(*) filter (where d.state = 'waiting_for_invoice')::integer as differences_waiting,
         count(*) filter (where d.state <> 'closed' and d.stale_since is not null)::integer as differences_stale,
         count(distinct d.customer_id) filter (where d.state = 'open')::integer as customers_affected,
         coalesce(sum(d.money_per_month) filter (where d.state = 'open' and d.direction = 'under'), 0)::numeric(14,2) as under_per_month,
         coalesce(sum(-d.money_per_month) filter (where d.state = 'open' and d.direction = 'over'), 0)::numeric(14,2) as over_per_month,
         coalesce(sum(d.money_so_far) filter (where d.state = 'open' and d.direction = 'under'), 0)::numeric(14,2) as under_so_far,
         coalesce(sum(-d.money_so_far) filter (where d.state = 'open' and d.direction = 'over'), 0)::numeric(14,2) as over_so_far,
         count(*) filter (where d.state = 'open' and d.committed_until > now())::integer as differences_committed,
         coalesce(sum(d.money_per_month) filter (where d.state = 'waiting_for_invoice' and d.direction = 'under'), 0)::numeric(14,2) as waiting_per_month,
         coalesce(sum(d.money_per_month) filter (where d.close_reason = 'invoiced' and d.direction = 'under'), 0)::numeric(14,2) as recovered_per_month
  from public.count_differences d group by d.currency;
comment on view public.money_overview is 'Per currency: what is billed too little and too much a month, what waits for its bill, and what was recovered.';
grant select on public.money_overview to staff;

-- A customer's own people see their bills, too.
create view public.bill_list with (security_invoker = true) as
  select b.customer_id, b.id, c.name as customer_name, coalesce(b.number, 'without a number') as number, b.billed_at, b.due_at, b.total_amount, b.open_amount, b.currency,
         case when b.open_amount is null then 'unknown' when b.open_amount <= 0 then 'paid' when b.due_at < now() then 'overdue' else 'open' end as payment_state,
         b.observed_at, b.observed_at + (select app.source_stale_after(b.integration_id)) as stale_at, b.is_complete
  from public.bills b
  left join public.customers c on c.id = b.customer_id;
comment on view public.bill_list is 'Bills with what is left to pay and whether that is overdue: for the list screen, and for the customer''s own people.';
grant select on public.bill_list to authenticated, staff;

create view public.payment_list with (security_invoker = true) as
  select p.customer_id, p.id, c.name as customer_name, p.account_ref, coalesce(p.reference, 'without a reference') as reference, p.amount, p.currency, p.status, p.paid_at,
         p.observed_at, p.observed_at + (select app.source_stale_after(p.integration_id)) as stale_at, p.is_complete
  from public.payments p
  left join public.customers c on c.id = p.customer_id;
comment on view public.payment_list is 'Payments by account, for the list screen and for the customer''s own people. The billing system does not say which bill a payment settles.';
grant select on public.payment_list to authenticated, staff;

-- The words of a status are the vendor's: what neither names its end nor a word for it is open, and without any word nobody knows.
create view public.billing_ticket_list with (security_invoker = true) as
  select t.customer_id, t.id, c.name as customer_name, t.account_ref, coalesce(t.subject, 'without a subject') as subject,
         case when t.closed_at is not null or t.status in ('closed', 'resolved', 'completed', 'complete', 'done', 'cancelled', 'canceled') then 'closed'
              when t.status is null then 'unknown' else 'open' end as state,
         t.status, t.opened_at, t.closed_at, t.observed_at, t.observed_at + (select app.source_stale_after(t.integration_id)) as stale_at, t.is_complete
  from public.billing_tickets t
  left join public.customers c on c.id = t.customer_id;
comment on view public.billing_ticket_list is 'Tickets of the billing system by account, for the list screen and for the customer''s own people. They are no tickets of the service desk.';
grant select on public.billing_ticket_list to authenticated, staff;

create view public.billing_line_list with (security_invoker = true) as
  select l.customer_id, l.id, c.name as customer_name, l.integration_id, l.external_id, l.account_ref, l.product_id, p.name as product_name, l.name, l.quantity, l.rate,
         l.currency, (l.quantity * l.rate)::numeric(14,2) as amount_per_month, l.status, l.is_active, l.activated_at, l.billed_through_at, l.contract_end_at,
         l.disconnected_at, l.quantity_changed_at, l.observed_at, l.is_complete, l.missing_since, l.observed_at + (select app.source_stale_after(l.integration_id)) as stale_at
  from public.billing_lines l
  left join public.customers c on c.id = l.customer_id
  left join public.billing_products p on p.id = l.product_id;
comment on view public.billing_line_list is 'Billed lines with their customer and product, for the list screen.';
grant select on public.billing_line_list to staff;

create view public.count_rule_list with (security_invoker = true) as
  select r.id, r.name, r.billing_product_id, p.name as product_name, p.code as product_code, p.rate as product_rate, p.currency, p.integration_id, r.counts, r.device_classes,
         r.approved_only, r.sku_ids, r.seat_basis,
         (select coalesce(array_agg(distinct s.name), '{}') from public.license_skus s where s.sku_id = any (r.sku_ids)) as sku_names, r.multiplier, r.enabled, r.created_by, r.created_at,
         (select count(*)::integer from public.count_differences d where d.rule_id = r.id and d.state = 'open') as differences_open
  from public.count_rules r left join public.billing_products p on p.id = r.billing_product_id;
comment on view public.count_rule_list is 'Count rules with their product and how many differences are open, for the list screen.';
grant select on public.count_rule_list to staff;
