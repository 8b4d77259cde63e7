-- A month is closed once, by whoever manages billing, and never changed: what is signed is what the database sees, not what the caller says.
create policy staff_select on public.month_closes for select to staff using ((select app.has('billing:read')));
grant select on public.month_closes to staff;
create policy staff_insert on public.month_closes for insert to staff with check ((select app.has('billing:manage')));
grant insert (month, note) on public.month_closes to staff;
select app.watch('public.month_closes');

create or replace function app.sign_month() returns trigger language plpgsql set search_path = '' as $$
declare
  last record;
  month_end constant timestamptz := (new.month + interval '1 month') at time zone 'UTC';
begin
  -- The policy refuses; nothing of the books is told before it does.
  if not app.has('billing:manage') then
    return new;
  end if;
  if month_end > now() then
    raise exception 'This month has not ended yet (UTC).' using errcode = 'PT409', hint = 'Close it on the first day of the next month or later.';
  end if;
  select r.id, r.customers_done, r.customers_skipped into last from public.reconciliations r
    where r.state = 'complete' and r.scope = 'all' and r.ended_at >= month_end order by r.ended_at desc limit 1;
  if last.id is null then
    raise exception 'Counts and lines have not been compared since this month ended.' using errcode = 'PT409', hint = 'Reconcile now, then close the month.';
  end if;
  new.closed_by := app.user_id();
  new.closed_at := now();
  new.reconciliation_id := last.id;
  new.customers_done := last.customers_done;
  new.customers_skipped := last.customers_skipped;
  select count(*) filter (where d.state = 'open'),
         coalesce(jsonb_agg(jsonb_build_object('customer_id', d.customer_id, 'customer', d.customer_name, 'id', d.id, 'product', d.product_name, 'direction', d.direction,
           'counted', d.counted, 'billed', d.billed, 'money_per_month', d.money_per_month, 'currency', d.currency, 'state', d.state, 'cause', d.cause_text,
           'ignored_reason', d.ignored_reason, 'is_stale', d.stale_since is not null) order by d.customer_name, d.product_name, d.id), '[]')
    into new.differences_open, new.differences
    from public.difference_list d where d.state <> 'closed';
  select coalesce(jsonb_agg(to_jsonb(o) order by o.currency), '[]') into new.totals from public.money_overview o;
  new.note := nullif(trim(new.note), '');
  if new.note is null and (new.differences_open > 0 or new.customers_skipped > 0) then
    raise exception '% differences are open and % customers were left out.', new.differences_open, new.customers_skipped
      using errcode = 'PT409', hint = 'Say in the note why the month is closed with them.';
  end if;
  return new;
end $$;
revoke all on function app.sign_month() from public;
create trigger sign_month before insert on public.month_closes for each row execute function app.sign_month();

create view public.month_close_list with (security_invoker = true) as
  select m.id, m.month, m.note, m.closed_by, m.closed_at, m.customers_done, m.customers_skipped, m.differences_open,
         jsonb_array_length(m.differences) as differences_listed, m.totals
  from public.month_closes m;
comment on view public.month_close_list is 'Closed months with their sums, for the list screen.';
grant select on public.month_close_list to staff;

-- Where the money is: by customer and by product. What is closed does not count.
create view public.difference_by_customer with (security_invoker = true) as
  select d.customer_id, c.name as customer_name, d.currency, count(*) filter (where d.state = 'open')::integer as differences_open,
         coalesce(sum(d.money_per_month) filter (where d.state = 'open' and d.direction = 'under'), 0)::numeric(14,2) as under_per_month,
         coalesce(sum(-d.money_per_month) filter (where d.state = 'open' and d.direction = 'over'), 0)::numeric(14,2) as over_per_month,
         coalesce(sum(d.money_per_month) filter (where d.state = 'waiting_for_invoice'), 0)::numeric(14,2) as waiting_per_month,
         min(d.first_seen_at) filter (where d.state = 'open') as oldest_at
  from public.count_differences d left join public.customers c on c.id = d.customer_id
  where d.state <> 'closed' group by d.customer_id, c.name, d.currency;
comment on view public.difference_by_customer is 'Per customer and currency: what is billed too little and too much a month.';
grant select on public.difference_by_customer to staff;

create view public.difference_by_product with (security_invoker = true) as
  select d.product_id, p.name as product_name, d.currency, count(*) filter (where d.state = 'open')::integer as differences_open,
         count(distinct d.customer_id) filter (where d.state = 'open')::integer as customers_affected,
         coalesce(sum(d.money_per_month) filter (where d.state = 'open' and d.direction = 'under'), 0)::numeric(14,2) as under_per_month,
         coalesce(sum(-d.money_per_month) filter (where d.state = 'open' and d.direction = 'over'), 0)::numeric(14,2) as over_per_month,
         min(d.first_seen_at) filter (where d.state = 'open') as oldest_at
  from public.count_differences d left join public.billing_products p on p.id = d.product_id
  where d.state <> 'closed' group by d.product_id, p.name, d.currency;
comment on view public.difference_by_product is 'Per product and currency: what is billed too little and too much a month.';
grant select on public.difference_by_product to staff;

-- What a customer brings and costs a month, by the lines that are active now.
create view public.margin_by_customer with (security_invoker = true) as
  select m.*, (m.billed_per_month - m.cost_per_month)::numeric(14,2) as margin_per_month,
         case when m.billed_per_month > 0 then round(100 * (m.billed_per_month - m.cost_per_month) / m.billed_per_month, 1) end as margin_percent
  from (select l.customer_id, c.name as customer_name, l.currency, count(*)::integer as lines, count(*) filter (where l.cost is null)::integer as lines_without_cost,
               coalesce(sum(l.quantity * l.rate), 0)::numeric(14,2) as billed_per_month, coalesce(sum(l.quantity * l.cost), 0)::numeric(14,2) as cost_per_month,
               min(l.observed_at) as oldest_observed_at, bool_and(l.is_complete) as is_complete
        from public.billing_lines l left join public.customers c on c.id = l.customer_id
        where l.is_active and l.missing_since is null group by l.customer_id, c.name, l.currency) m;
comment on view public.margin_by_customer is 'Per customer and currency: billed and own cost a month of the active lines. Lines without a cost are counted, not guessed.';
grant select on public.margin_by_customer to staff;
