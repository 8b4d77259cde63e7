-- How long things are kept.
--
-- Tables that are kept in partitions: from the present one to `ahead`; one that ended more than `kept` ago is dropped whole. Null: never.
create or replace function app.partitioned() returns table (parent regclass, time_column text, unit text, ahead integer, kept integer)
language sql stable set search_path = '' as $$
  values ('audit.log'::regclass, 'at', 'month', 2, null::integer),
         ('audit.access', 'minute', 'month', 2, 3),
         ('public.object_changes', 'at', 'month', 2, 13),
         ('realtime.messages', 'inserted_at', 'day', 3, 3)
$$;
comment on function app.partitioned() is 'The tables that app.maintain_partitions keeps.';

create or replace function app.maintain_partitions() returns integer
language plpgsql security definer set search_path = '' as $$
declare
  of record;
  part record;
  suffix text;
  one interval;
  this timestamp;
  made integer := 0;
begin
  for of in select p.*, c.relname, n.nspname, substring(obj_description(c.oid, 'pg_class') from 'Owner: .*$') as ends
      from app.partitioned() p join pg_catalog.pg_class c on c.oid = p.parent join pg_catalog.pg_namespace n on n.oid = c.relnamespace loop
    suffix := case of.unit when 'day' then 'YYYY_MM_DD' else 'YYYY_MM' end;
    one := ('1 ' || of.unit)::interval;
    this := date_trunc(of.unit, now() at time zone 'utc');
    for step in 0 .. of.ahead loop
      made := made + app.add_partition(of.parent, to_char(this + step * one, suffix), of.time_column, (this + step * one) at time zone 'utc',
        (this + (step + 1) * one) at time zone 'utc', format('One %s of %s. %s', of.unit, of.parent, of.ends));
    end loop;
    continue when of.kept is null;
    for part in select c.relname from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
        where i.inhparent = of.parent and c.relname ~ ('^' || of.relname || '_\d[\d_]+$') loop
      if to_date(substr(part.relname, length(of.relname) + 2), suffix) < this - of.kept * one then
        execute format('drop table %I.%I', of.nspname, part.relname);
      end if;
    end loop;
    -- What strayed into the default one.
    execute format('delete from %s_default d where d.%I < %L', of.parent, of.time_column, (this - of.kept * one) at time zone 'utc');
  end loop;
  return made;
end $$;
comment on function app.maintain_partitions() is 'Definer: makes and drops partitions, which only the owner may.';
revoke all on function app.partitioned(), app.maintain_partitions() from public;
grant execute on function app.maintain_partitions() to system;

-- Everything else: a rule says when rows of a table are past their time, as a policy that lets the owner delete these and no others, and only while
-- app.expire runs (docs/adr/0033-retention-is-a-rule.md).

-- The instant that rows are measured against: null but in app.expire, and never after the present.
create or replace function app.expiring_at() returns timestamptz language sql stable parallel safe set search_path = '' as
$$ select case when current_setting('app.expiring_at', true) <> '' then least(current_setting('app.expiring_at', true)::timestamptz, now()) end $$;

create or replace function app.keep_for(target regclass, ended text, kept interval, besides text default null) returns void
language plpgsql set search_path = '' as $$
declare
  is_day constant boolean := exists (select from pg_catalog.pg_attribute a where a.attrelid = target and a.attname = ended and a.atttypid = 'date'::regtype);
begin
  execute format('create policy expire on %s for delete to owner using (%s < ' ||
    case when is_day then '(((select app.expiring_at()) - interval %L) at time zone ''utc'')::date%s)' else '(select app.expiring_at()) - interval %L%s)' end,
    target, ended, kept, ' and ' || besides);
end $$;
comment on function app.keep_for(regclass, text, interval, text) is 'Rows are kept for this time after `ended`, a column or an expression over the row; and while `besides` is not so.';

-- The rules, read back from the policies.
create or replace function app.keeps() returns table (target regclass, past text, kept interval)
language sql stable rows 100 set search_path = '' as $$
  select p.polrelid, q.past, substring(q.past from '''([^'']+)''::interval')::interval
  from pg_catalog.pg_policy p cross join lateral pg_get_expr(p.polqual, p.polrelid) q (past) where p.polname = 'expire' and p.polcmd = 'd'
$$;

-- What holds a row of `target` although its time is over: rows that refer to it and do not let go by themselves, and those that would go with it although
-- their own rule (`rules`: table to time) keeps them longer. A condition on the row `alias`; null when nothing can.
create or replace function app.held(target regclass, alias text, kept interval, rules jsonb, level integer default 1) returns text
language plpgsql stable set search_path = '' as $$
begin
  return (select string_agg(format('exists (select from %s h%s where %s%s)', k.conrelid::regclass, level,
      (select string_agg(format('h%s.%I = %s.%I', level, c.attname, alias, p.attname), ' and ' order by u.place)
       from unnest(k.conkey, k.confkey) with ordinality u (child, parent, place)
       join pg_catalog.pg_attribute c on c.attrelid = k.conrelid and c.attnum = u.child
       join pg_catalog.pg_attribute p on p.attrelid = k.confrelid and p.attnum = u.parent), ' and (' || deeper.condition || ')'), ' or ' order by k.conname)
  from pg_catalog.pg_constraint k
  cross join lateral (select k.confdeltype in ('a', 'r') or (rules ->> k.conrelid::text)::interval > kept as yes) holds
  cross join lateral (select case when k.confdeltype = 'c' and holds.yes is not true and level < 5
                       then app.held(k.conrelid, 'h' || level, kept, rules, level + 1) end as condition) deeper
  where k.contype = 'f' and k.confrelid = target and k.conrelid <> k.confrelid and k.conparentid = 0
    and k.confdeltype in ('a', 'r', 'c') and (holds.yes or deeper.condition is not null));
end $$;

-- What app.expire does for each table, those that refer before those that are referred to. `goes_with_it`: tables whose rows go with a row of this one.
-- The instant is written into the condition: planned without it, a third of the rows would be taken for past their time, and a whole table be read.
create or replace function app.expiries() returns table (target regclass, rows_past text, goes_with_it regclass[])
language sql stable set search_path = '' as $$
  with recursive rules as materialized (select * from app.keeps()),
  keys as (select k.conrelid as child, k.confrelid as parent, k.confdeltype from pg_catalog.pg_constraint k
           join rules p on p.target = k.confrelid where k.contype = 'f' and k.conrelid <> k.confrelid and k.conparentid = 0),
  places (target, depth) as (
    select r.target::oid, 0 from rules r
    union select k.child, p.depth + 1 from places p join keys k on k.parent = p.target join rules r on r.target = k.child where p.depth < 20)
  select r.target, format('from %s t where %s%s', r.target,
      replace(r.past, '( SELECT app.expiring_at() AS expiring_at)', coalesce(quote_literal(app.expiring_at()) || '::timestamptz', '(select app.expiring_at())')),
      ' and not (' || app.held(r.target, 't', r.kept, (select jsonb_object_agg(o.target::oid, o.kept) from rules o)) || ')'),
    array(select distinct k.child::regclass from keys k where k.parent = r.target and k.confdeltype = 'c')
  from rules r order by (select max(p.depth) from places p where p.target = r.target) desc, r.target::text
$$;

-- Deletes what is past its time at `p_now`, at most `p_limit` rows of each table, and a tenth of it where other rows go with them. Gives the tables that
-- had such rows; `is_full`: there may be more. Stops after 20 seconds, to be called again. One call at a time works; others give nothing.
create or replace function app.expire(p_now timestamptz, p_limit integer default 1000) returns table (table_name text, removed integer, is_full boolean, problem text)
language plpgsql security definer set search_path = '' set jit = off as $$
declare
  limit_rows constant integer := least(greatest(p_limit, 1), 10000);
  rule record;
  batch integer;
  unfinished regclass[] := '{}';
begin
  if not pg_try_advisory_xact_lock(7331033) then
    return;
  end if;
  perform set_config('app.expiring_at', p_now::text, true);
  for rule in select * from app.expiries() loop
    -- What would go with a row goes first, in batches of its own.
    if rule.goes_with_it && unfinished then
      unfinished := unfinished || rule.target;
      continue;
    end if;
    table_name := rule.target;
    problem := null;
    if clock_timestamp() > statement_timestamp() + interval '20 seconds' then
      removed := 0;
      is_full := true;
      return next;
      exit;
    end if;
    batch := case when rule.goes_with_it = '{}' then limit_rows else greatest(limit_rows / 10, 1) end;
    -- What goes wrong at one table must not keep the others.
    begin
      execute format('delete from %s where ctid = any (array(select t.ctid %s limit %s))', rule.target, rule.rows_past, batch);
      get diagnostics removed = row_count;
    exception when others then
      removed := 0;
      problem := format('%s (%s)', sqlerrm, sqlstate);
    end;
    is_full := removed = batch;
    if is_full then
      unfinished := unfinished || rule.target;
    end if;
    if removed > 0 or problem is not null then
      return next;
    end if;
  end loop;
  perform set_config('app.expiring_at', '', true);
end $$;
comment on function app.expire(timestamptz, integer) is 'Definer: deletes over all customers, and only what the policies `expire` call past its time.';

-- Rows that were past their time at `p_now` and are still there, at most 1000 of each table: none, if app.expire keeps up.
create or replace function app.overdue(p_now timestamptz) returns table (table_name text, rows bigint)
language plpgsql security definer set search_path = '' set jit = off as $$
declare
  rule record;
begin
  perform set_config('app.expiring_at', p_now::text, true);
  for rule in select * from app.expiries() loop
    table_name := rule.target;
    execute format('select count(*) from (select %s limit 1000) x', rule.rows_past) into rows;
    if rows > 0 then
      return next;
    end if;
  end loop;
  perform set_config('app.expiring_at', '', true);
end $$;
comment on function app.overdue(timestamptz) is 'Definer: counts over all customers what the policies `expire` call past its time; shows no row.';

revoke all on function app.expiring_at(), app.keep_for(regclass, text, interval, text), app.keeps(), app.held(regclass, text, interval, jsonb, integer), app.expiries(),
  app.expire(timestamptz, integer), app.overdue(timestamptz) from public;
grant execute on function app.expire(timestamptz, integer), app.overdue(timestamptz) to system;

-- The rules. What is not over has no time of its end, so it stays.
do $$
declare
  rule record;
  target regclass;
begin
  for rule in select * from (values
    ('auth.sessions', 'least(ended_at, expires_at)', '1 year'),
    ('auth.sign_in_attempts', 'at', '90 days'),
    ('app.function_calls', 'began_at', '90 days'),
    ('public.notifications', 'created_at', '90 days'),
    ('public.sync_runs', 'ended_at', '90 days'),
    ('public.webhook_deliveries', 'received_at', '30 days'),
    ('public.vendor_calls', 'hour', '90 days'),
    ('public.isolation_probes', 'began_at', '90 days'),
    ('public.security_alerts', 'last_seen_at', '7 years'),
    ('public.export_freezes', 'lifted_at', '7 years'),
    ('public.devices', 'missing_since', '1 year'),
    ('public.device_conditions', 'cleared_at', '1 year'),
    ('public.device_maintenances', 'ended_at', '1 year'),
    ('public.managed_devices', 'missing_since', '1 year'),
    ('public.endpoints', 'ended_at', '1 year'),
    ('public.endpoint_conflicts', 'resolved_at', '1 year'),
    ('public.endpoint_decisions', 'ended_at', '7 years'),
    ('public.tenants', 'missing_since', '400 days'),
    ('public.tenant_people', 'missing_since', '400 days'),
    ('public.person_licenses', 'missing_since', '400 days'),
    ('public.license_skus', 'missing_since', '400 days'),
    ('public.access_policies', 'missing_since', '400 days'),
    ('public.tenant_app_credentials', 'missing_since', '400 days'),
    ('public.tenant_secure_scores', 'day', '400 days'),
    ('public.mfa_exceptions', 'least(ended_at, until)', '7 years'),
    ('public.cipp_tenants', 'missing_since', '400 days'),
    ('public.tenant_settings', 'missing_since', '400 days'),
    ('public.tenant_setting_changes', 'seen_at', '400 days'),
    ('public.tenant_mail_domains', 'missing_since', '400 days'),
    ('public.mailbox_forwardings', 'missing_since', '400 days'),
    ('public.baselines', 'archived_at', '7 years'),
    ('public.drifts', 'closed_at', '400 days'),
    ('public.drift_days', 'day', '400 days'),
    ('public.drift_exceptions', 'least(ended_at, until)', '7 years'),
    ('public.posture_tenants', 'missing_since', '400 days'),
    ('public.posture_days', 'day', '400 days'),
    ('public.document_tenants', 'missing_since', '400 days'),
    ('public.document_sites', 'missing_since', '400 days'),
    ('public.documents', 'missing_since', '400 days'),
    ('public.document_shares', 'missing_since', '400 days'),
    ('flow.runs', 'ended_at', '7 years'),
    ('public.evidence', 'created_at', '7 years'),
    ('public.alerts', 'resolved_at', '1 year'),
    ('public.incidents', 'resolved_at', '7 years'),
    ('public.tickets', 'closed_at', '7 years'),
    ('public.billing_lines', 'missing_since', '7 years'),
    ('public.reconciliations', 'started_at', '90 days'),
    ('public.count_differences', 'closed_at', '7 years'),
    ('public.month_closes', 'closed_at', '7 years')) r (name, ended, kept)
  loop
    perform app.keep_for(rule.name::regclass, rule.ended, rule.kept::interval);
  end loop;
  -- What the billing system still shows would be back with the next synchronization.
  perform app.keep_for('public.bills', 'billed_at', '7 years', 'observed_at < (select app.expiring_at()) - interval ''30 days''');
  perform app.keep_for('public.billing_tickets', 'closed_at', '7 years', 'observed_at < (select app.expiring_at()) - interval ''30 days''');
  perform app.keep_for('public.payments', 'paid_at', '7 years', 'observed_at < (select app.expiring_at()) - interval ''30 days''');
  -- While app.expire runs it sees the rows of these tables, and those that may hold them. Some the owner sees at any time.
  for target in select distinct m[1]::regclass from app.expiries() e, regexp_matches(e.rows_past, 'from (\S+) (?:t|h\d) where', 'g') m
      where not exists (select from pg_catalog.pg_policy p where p.polrelid = m[1]::regclass and p.polcmd in ('r', '*') and 'owner'::regrole = any (p.polroles)
        and pg_get_expr(p.polqual, p.polrelid) = 'true') loop
    execute format('create policy expire_look on %s for select to owner using ((select app.expiring_at()) is not null)', target);
  end loop;
end $$;
