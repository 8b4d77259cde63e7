select app.protect_provider('public.workflows', 'workflows', '{select,update}');
revoke update on public.workflows from staff;
grant update (enabled) on public.workflows to staff;
select app.protect_provider('public.workflow_versions', 'workflows', '{select}');
select app.open_to_system('public.workflows'), app.open_to_system('public.workflow_versions');
select app.watch('public.workflows'), app.watch('public.workflow_versions');

-- The engine's tables: people read; the engine writes as worker of one customer; claiming looks over all customers as system.
select app.protect('flow.runs', 'runs', '{select}');
select app.protect('flow.steps', 'runs', '{select}');
select app.protect('flow.changes', 'runs', '{select}');
select app.protect('flow.approvals', 'approvals', '{select}');
select app.protect('public.evidence', 'evidence', '{select}');
-- The engine's statements touch a few rows by their keys, many times a second: the sub-select that saves long scans the asking costs them more than it saves.
do $$
declare engine_table text;
begin
  foreach engine_table in array array['runs', 'steps', 'changes'] loop
    execute format('alter policy worker_all on flow.%I using (customer_id = app.worker_customer()) with check (customer_id = app.worker_customer())', engine_table);
  end loop;
end $$;
-- Evidence is written once.
revoke update, delete on public.evidence from worker;
select app.open_to_system('flow.runs', 'select'), app.open_to_system('flow.steps', 'select, update'), app.open_to_system('flow.approvals', 'select');
grant update (state, started_at) on flow.runs to system;
select app.watch('flow.changes'), app.watch('flow.approvals'), app.watch('public.evidence', 'bundle');
-- Of a run the log has everything but its moves between queued, running and waiting: those are in the history of its steps.
-- Two triggers, because a condition over all columns would be parsed anew at every update.
create trigger audit after insert or delete or update of customer_id, id, workflow_id, workflow_version, title, dry_run, input, subject_kind, subject_id,
    dedup_key, started_by, started_reason, created_at, deadline_at, stopping, error on flow.runs
  for each row execute function app.audit();
create trigger audit_end after update of state, started_at, ended_at on flow.runs
  for each row when (old.ended_at is not null or new.ended_at is not null) execute function app.audit();

-- A portal user needs the workflow's name in the run's row, not the workflow table: runs carry their title.
create view public.runs with (security_invoker = true) as
  select r.customer_id, r.id, r.workflow_id, r.workflow_version, r.title, r.state::text as state, r.dry_run, r.input, r.subject_kind, r.subject_id,
         r.started_by, r.started_reason, r.created_at, r.started_at, r.ended_at, r.error, c.name as customer_name
  from flow.runs r join public.customers c on c.id = r.customer_id;
create view public.steps with (security_invoker = true) as
  select s.customer_id, s.id, s.run_id, s.key, s.position, s.kind, s.title, s.change_key, s.phase, s.state::text as state, s.attempt, s.due_at,
         s.output, s.summary, s.error, s.history, s.started_at, s.ended_at
  from flow.steps s;
create view public.changes with (security_invoker = true) as
  select c.customer_id, c.id, c.run_id, c.key, c.state::text as state, c.target_kind, c.target_id, c.title, c.idempotency_key, c.before, c.plan,
         c.guard, c.act_started_at, c.receipt, c.after, c.verdict, c.undo, c.created_at, c.applied_at, c.verified_at
  from flow.changes c;
create view public.approvals with (security_invoker = true) as
  select a.customer_id, a.id, a.run_id, a.step_id, a.title, a.policy, a.plan, a.state, a.requested_at, a.requested_by, a.expires_at,
         a.decided_by, a.decided_at, a.reason, app.person_shown(a.decided_by) as decided_as, c.name as customer_name
  from flow.approvals a join public.customers c on c.id = a.customer_id;
comment on view public.runs is 'Workflow runs.';
comment on view public.steps is 'Steps of workflow runs.';
comment on view public.changes is 'Changes to the outside world with before, plan, after and verdict.';
comment on view public.approvals is 'Decisions that runs wait for or waited for.';
grant select on public.runs, public.steps, public.changes, public.approvals to authenticated, staff;

-- ------------------------------------------------------------------------------------------------------------------
-- The engine. Functions of the invoker: `claim_steps` runs as system over all customers, everything else as worker of
-- one customer under the policies above. The database clock is the only clock here: leases and due times of all workers
-- compare with it. Whoever changes steps of a run locks the run first; claiming never waits for a lock (skip locked), so
-- these two orders cannot deadlock. They are written in PL/pgSQL because it keeps its plans for the whole session;
-- sequential scans are off in them because a plan made while the tables were empty must still be right when they are full. Only a running step has a
-- lease: whoever names its owner does not name its state, which would have the step looked for among all that run.

-- One more entry of a step's history; the oldest of more than 50 goes.
create or replace function flow.noted(history jsonb, entry jsonb) returns jsonb language sql immutable as
$$ select (case when jsonb_array_length(history) >= 50 then history - 0 else history end) || entry $$;

-- What a run comes to, as its steps and changes are now: the worst counts. A change's reading back counts by its verdict.
create or replace function flow.outcome_of(p_customer uuid, p_run uuid) returns flow.run_state language plpgsql stable as $$
declare
  states text[];
begin
  select array_agg(x.state) into states from (
    select s.state::text from flow.steps s
      where s.customer_id = p_customer and s.run_id = p_run and s.on_failure = 'fail' and s.phase is distinct from 'reread'
        and s.state in ('failed', 'timed_out', 'rejected', 'cancelled')
    union all
    select c.state::text from flow.changes c where c.customer_id = p_customer and c.run_id = p_run) x;
  return case
    when 'failed' = any (states) then 'failed'
    when 'timed_out' = any (states) then 'timed_out'
    when 'unverified' = any (states) then 'unverified'
    when 'rejected' = any (states) then 'rejected'
    when 'cancelled' = any (states) then 'cancelled'
    when 'verified' = any (states) then 'verified'
    else 'ended' end;
end $$;

-- The steps of a run in one reading: what each is and gave, which can start now (in their order), and whether any is under way. Clean is a run without
-- changes in which nothing went wrong.
create or replace function flow.survey(p_customer uuid, p_run uuid,
  out steps jsonb, out due uuid[], out is_active boolean, out is_waiting boolean, out has_changes boolean, out is_clean boolean) language plpgsql stable as $$
begin
  select jsonb_object_agg(x.key, jsonb_build_object('state', case when x.is_due then 'ready' else x.state end, 'output', x.output)),
         array_agg(x.id order by x.position) filter (where x.is_due),
         bool_or(x.is_due or x.state in ('ready', 'running')), bool_or(x.state = 'waiting'), bool_or(x.change_key is not null),
         bool_and(x.change_key is null and x.state not in ('failed', 'timed_out', 'rejected', 'cancelled'))
    into steps, due, is_active, is_waiting, has_changes, is_clean
    from (select s.id, s.key, s.position, s.change_key, s.output, s.state::text as state,
            s.state = 'pending' and not s.needs && array_agg(s.key) filter (where s.state in ('pending', 'ready', 'running', 'waiting')) over () as is_due
          from flow.steps s where s.customer_id = p_customer and s.run_id = p_run) x;
end $$;

-- What executing a step needs to know beside the facts of its run that never change.
create or replace function flow.step_context(p_customer uuid, p_run uuid, p_step jsonb, p_steps jsonb, p_has_changes boolean, p_stopping flow.run_state, p_error jsonb)
returns jsonb language plpgsql stable as $$
declare
  changes jsonb;
begin
  if p_has_changes then
    select jsonb_object_agg(x.key, to_jsonb(x)) into changes from flow.changes x where x.customer_id = p_customer and x.run_id = p_run;
  end if;
  return jsonb_build_object('now', clock_timestamp(), 'step', p_step, 'steps', p_steps, 'changes', changes, 'stopping', p_stopping, 'error', p_error,
    'outcome', case when p_step ->> 'run_on' = 'always' then flow.outcome_of(p_customer, p_run) end);
end $$;

-- Starts a run with its step rows, in the transaction of whatever needs it. A known dedup key gives the run that has it.
create or replace function flow.start_run(p_id uuid, p_workflow uuid, p_version integer, p_title text, p_dry_run boolean, p_input jsonb, p_subject_kind text,
  p_subject_id uuid, p_dedup_key text, p_by uuid, p_reason text, p_timeout_ms bigint, p_lane_max smallint, p_steps jsonb, out run_id uuid, out is_new boolean)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  c constant uuid := app.worker_customer();
begin
  if not exists (select from public.workflows w where w.id = p_workflow and w.enabled) then
    raise exception 'This workflow is switched off.' using errcode = 'PT409';
  end if;
  insert into flow.runs as r (customer_id, id, workflow_id, workflow_version, title, dry_run, input, subject_kind, subject_id, dedup_key, started_by, started_reason, deadline_at)
    values (c, p_id, p_workflow, p_version, p_title, p_dry_run, p_input, p_subject_kind, p_subject_id, p_dedup_key, p_by, p_reason,
            clock_timestamp() + p_timeout_ms * interval '1 ms')
    on conflict (customer_id, dedup_key) where dedup_key is not null do nothing returning r.id into run_id;
  is_new := found;
  if not is_new then
    select r.id into strict run_id from flow.runs r where r.customer_id = c and r.dedup_key = p_dedup_key;
    return;
  end if;
  insert into flow.steps (customer_id, run_id, workflow_id, lane_max, key, position, kind, title, change_key, phase, needs, run_on, on_failure, state)
    select c, p_id, p_workflow, p_lane_max, x.key, x.position, x.kind, x.title, x.change_key, x.phase, x.needs, x.run_on, x.on_failure,
           case when x.needs = '{}' then 'ready' else 'pending' end::flow.step_state
    from jsonb_to_recordset(p_steps) as x (key text, position smallint, kind text, title text, change_key text, phase text, needs text[], run_on text, on_failure text);
  perform pg_notify('flow_steps', '');
end $$;

-- The facts of a run that never change.
create or replace function flow.run_facts(r flow.runs) returns jsonb language sql stable as
$$ select jsonb_build_object('id', r.id, 'workflow_id', r.workflow_id, 'workflow_version', r.workflow_version, 'title', r.title, 'dry_run', r.dry_run,
     'input', r.input, 'subject_kind', r.subject_kind, 'subject_id', r.subject_id, 'started_by', r.started_by, 'started_reason', r.started_reason,
     'deadline_at', r.deadline_at) $$;
-- What a worker is told of the step that it holds.
create or replace function flow.step_facts(s flow.steps) returns jsonb language sql stable as
$$ select jsonb_build_object('id', s.id, 'key', s.key, 'attempt', s.attempt, 'crashes', s.crashes, 'run_on', s.run_on) $$;

-- Takes due steps for a worker, at most `p_batch`: first those whose worker died, then lane after lane (a lane is one workflow of one customer), starting
-- behind the lane where the last claim stopped, a share of the batch each, never more of a lane than may run at once. The last row has no step: it
-- says where to go on and in how many milliseconds the next step is due.
create or replace function flow.claim_steps(p_owner uuid, p_batch integer, p_lease_ms integer, p_after_customer uuid, p_after_workflow uuid)
returns table (customer_id uuid, run_id uuid, step_id uuid, lane_customer uuid, lane_workflow uuid, due_in_ms bigint)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
  share constant integer := greatest(2, p_batch / 4);
  lease constant timestamptz := now() + p_lease_ms * interval '1 ms';
  mine flow.step_ref[];
  taken flow.step_ref[] := '{}';
  at_customer uuid := p_after_customer;
  at_workflow uuid := p_after_workflow;
  has_wrapped boolean := false;
  took_in_pass integer := 0;
  lane record;
begin
  -- Materialized, because a limited sub-select that a join runs more than once would lock more than its limit.
  with lost as materialized (
    select l.customer_id, l.id from flow.steps l where l.state = 'running' and l.lease_until < now()
      order by l.lease_until limit p_batch for update skip locked),
  again as (
    update flow.steps s set lease_owner = p_owner, lease_until = lease, crashes = s.crashes + 1, attempt_at = now(),
        history = flow.noted(s.history, jsonb_build_object('attempt', s.attempt, 'started_at', s.attempt_at, 'ended_at', now(), 'outcome', 'worker_lost', 'error', null))
      from lost where s.customer_id = lost.customer_id and s.id = lost.id
      returning s.customer_id, s.run_id, s.id)
  select coalesce(array_agg(row(again.customer_id, again.run_id, again.id)::flow.step_ref), '{}') into taken from again;
  for visit in 1 .. 128 loop
    exit when cardinality(taken) >= p_batch;
    select s.customer_id, s.workflow_id, s.lane_max into lane from flow.steps s
      where s.state in ('ready', 'waiting') and s.due_at <= now() and (s.customer_id, s.workflow_id) > (at_customer, at_workflow)
      order by s.customer_id, s.workflow_id limit 1;
    if not found then
      exit when has_wrapped and took_in_pass = 0;
      has_wrapped := true;
      took_in_pass := 0;
      at_customer := '00000000-0000-0000-0000-000000000000';
      at_workflow := at_customer;
      continue;
    end if;
    at_customer := lane.customer_id;
    at_workflow := lane.workflow_id;
    -- One claim at a time per lane; what runs is counted after the lock, so it is right.
    continue when not pg_try_advisory_xact_lock(7331010, hashtext(lane.customer_id::text || lane.workflow_id::text));
    with due as materialized (
      select d.id from flow.steps d where d.customer_id = lane.customer_id and d.workflow_id = lane.workflow_id
        and d.state in ('ready', 'waiting') and d.due_at <= now()
        order by d.due_at
        limit greatest(0, least(share, p_batch - cardinality(taken), lane.lane_max - (
          select count(*)::integer from flow.steps r
            where r.customer_id = lane.customer_id and r.workflow_id = lane.workflow_id and r.state = 'running')))
        for update skip locked),
    now_mine as (
      update flow.steps s set state = 'running', lease_owner = p_owner, lease_until = lease, attempt = s.attempt + 1, attempt_at = now(),
          started_at = coalesce(s.started_at, now())
        where s.customer_id = lane.customer_id and s.id = any (array(select due.id from due))
        returning s.run_id, s.id)
    select coalesce(array_agg(row(lane.customer_id, now_mine.run_id, now_mine.id)::flow.step_ref), '{}') into mine from now_mine;
    taken := taken || mine;
    took_in_pass := took_in_pass + cardinality(mine);
  end loop;
  -- Shows the runs as running. A run that is locked now is being advanced, and will show it itself.
  if cardinality(taken) > 0 then
    with open as materialized (
      select q.customer_id, q.id from unnest(taken) t cross join lateral (
        select r.customer_id, r.id from flow.runs r where r.customer_id = t.customer_id and r.id = t.run_id
          and r.state in ('queued', 'waiting') for no key update skip locked) q)
    update flow.runs r set state = 'running', started_at = coalesce(r.started_at, now()) from open
      where r.customer_id = open.customer_id and r.id = open.id;
  end if;
  return query select t.customer_id, t.run_id, t.step_id, null::uuid, null::uuid, null::bigint from unnest(taken) t;
  return query select null::uuid, null::uuid, null::uuid, at_customer, at_workflow,
    case when cardinality(taken) = 0 then
      (select greatest(0, ceil(extract(epoch from s.due_at - clock_timestamp()) * 1000))::bigint from flow.steps s
         where s.state in ('ready', 'waiting') and s.due_at > now() and s.due_at > '-infinity' order by s.due_at limit 1) end;
end $$;

-- The facts of a run and the context of its step that this worker holds; nothing when the lease was lost.
create or replace function flow.open_step(p_run uuid, p_step uuid, p_owner uuid, out run jsonb, out context jsonb)
language plpgsql stable set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  c constant uuid := app.worker_customer();
  me record;
  seen record;
begin
  select r.stopping, r.error,
      flow.step_facts(s) as step,
      flow.run_facts(r) as run
    into me from flow.steps s join flow.runs r on r.customer_id = c and r.id = p_run
    where s.customer_id = c and s.run_id = p_run and s.id = p_step and s.lease_owner = p_owner;
  if found then
    seen := flow.survey(c, p_run);
    run := me.run;
    context := flow.step_context(c, p_run, me.step, seen.steps, seen.has_changes, me.stopping, me.error);
  end if;
end $$;

create or replace function flow.extend_lease(p_step uuid, p_owner uuid, p_lease_ms integer) returns boolean language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
begin
  update flow.steps s set lease_until = clock_timestamp() + p_lease_ms * interval '1 ms'
    where s.customer_id = app.worker_customer() and s.id = p_step and s.lease_owner = p_owner;
  return found;
end $$;

-- The run goes down: what has not started does not start. A change whose act has begun is looked up and read back all the same. The caller holds the run's lock.
create or replace function flow.stop_run(p_run uuid, p_as flow.run_state, p_error jsonb) returns void language plpgsql as $$
declare
  c constant uuid := app.worker_customer();
  why constant text := coalesce(p_error ->> 'message', 'The run was stopped.');
begin
  update flow.runs r set stopping = p_as, error = coalesce(r.error, p_error) where r.customer_id = c and r.id = p_run and r.stopping is null;
  update flow.steps s set state = (case when p_as = 'cancelled' then 'cancelled' else 'skipped' end)::flow.step_state, ended_at = clock_timestamp(),
      summary = left('Not run: ' || why, 500)
    where s.customer_id = c and s.run_id = p_run and s.run_on = 'success' and s.state in ('pending', 'ready', 'waiting')
      and not (coalesce(s.phase, '') in ('act', 'reread') and exists (
        select from flow.changes x where x.customer_id = c and x.run_id = p_run and x.key = s.change_key
          and x.act_started_at is not null and x.state in ('planned', 'waiting', 'applied')));
  update flow.approvals a set state = 'cancelled' where a.customer_id = c and a.run_id = p_run and a.state = 'waiting';
  update flow.changes x set state = 'cancelled', verdict = left('Not done: ' || why, 500)
    from flow.runs r where r.customer_id = c and r.id = p_run and not r.dry_run
      and x.customer_id = c and x.run_id = p_run and x.state in ('planned', 'waiting') and x.act_started_at is null;
end $$;

-- Makes ready what has everything it needs, gives the first such step with its context to `p_owner` (if there is one), and ends the run when nothing
-- is left. The caller holds the run's lock, and says what the run is.
create or replace function flow.advance(p_run uuid, p_was flow.run_state, p_stopping flow.run_state, p_error jsonb, p_owner uuid, p_lease_ms integer,
  out took uuid, out context jsonb, out run_state flow.run_state)
language plpgsql as $$
declare
  c constant uuid := app.worker_customer();
  seen record;
  step jsonb;
begin
  seen := flow.survey(c, p_run);
  if seen.due is not null then
    took := case when p_owner is not null then seen.due[1] end;
    with now_due as (
      update flow.steps s set
          state = (case when s.id = took then 'running' else 'ready' end)::flow.step_state,
          due_at = clock_timestamp(),
          attempt = s.attempt + coalesce(s.id = took, false)::integer,
          attempt_at = case when s.id = took then clock_timestamp() end,
          started_at = case when s.id = took then clock_timestamp() end,
          lease_owner = case when s.id = took then p_owner end,
          lease_until = case when s.id = took then clock_timestamp() + p_lease_ms * interval '1 ms' end
        where s.customer_id = c and s.id = any (seen.due)
        returning s.id, s.key, s.attempt, s.crashes, s.run_on)
    select to_jsonb(d) into step from now_due d where d.id = took;
    if took is not null then
      context := flow.step_context(c, p_run, step, jsonb_set(seen.steps, array[step ->> 'key', 'state'], '"running"'), seen.has_changes, p_stopping, p_error);
    end if;
    if took is null or cardinality(seen.due) > 1 then
      perform pg_notify('flow_steps', '');
    end if;
  end if;
  run_state := case when seen.is_active then 'running' when seen.is_waiting then 'waiting' when seen.is_clean then 'ended'
    else flow.outcome_of(c, p_run) end;
  if run_state = p_was then
    null;
  elsif run_state in ('running', 'waiting') then
    update flow.runs r set state = advance.run_state, started_at = coalesce(r.started_at, clock_timestamp())
      where r.customer_id = c and r.id = p_run and r.state <> advance.run_state;
  else
    update flow.runs r set state = advance.run_state, started_at = coalesce(r.started_at, clock_timestamp()), ended_at = clock_timestamp()
      where r.customer_id = c and r.id = p_run;
  end if;
end $$;

-- Takes the oldest due step of a lane, for a worker whose step of this lane ends in this transaction: one leaves the lane and one enters it, so never more
-- of it run than before.
create or replace function flow.take_in_lane(p_workflow uuid, p_owner uuid, p_lease_ms integer, out took uuid, out context jsonb, out run jsonb)
language plpgsql as $$
declare
  c constant uuid := app.worker_customer();
  mine record;
  whose record;
  seen record;
begin
  with due as materialized (
    select d.id from flow.steps d where d.customer_id = c and d.workflow_id = p_workflow and d.state in ('ready', 'waiting') and d.due_at <= now()
      order by d.due_at limit 1 for update skip locked)
  update flow.steps s set state = 'running', lease_owner = p_owner, lease_until = clock_timestamp() + p_lease_ms * interval '1 ms',
      attempt = s.attempt + 1, attempt_at = clock_timestamp(), started_at = coalesce(s.started_at, clock_timestamp())
    from due where s.customer_id = c and s.id = due.id
    returning s.run_id, s.id, flow.step_facts(s) as step into mine;
  if found then
    -- As in a claim: a run that is locked now shows itself as running.
    with open as materialized (
      select r.id from flow.runs r where r.customer_id = c and r.id = mine.run_id and r.state in ('queued', 'waiting') for no key update skip locked)
    update flow.runs r set state = 'running', started_at = coalesce(r.started_at, clock_timestamp()) from open where r.customer_id = c and r.id = open.id
      returning flow.run_facts(r) as facts, r.stopping, r.error into whose;
    if not found then
      select flow.run_facts(r) as facts, r.stopping, r.error into whose from flow.runs r where r.customer_id = c and r.id = mine.run_id;
    end if;
    seen := flow.survey(c, mine.run_id);
    took := mine.id;
    run := whose.facts;
    context := flow.step_context(c, mine.run_id, mine.step, seen.steps, seen.has_changes, whose.stopping, whose.error);
  end if;
end $$;

-- Records how an attempt of a step ended and moves the run on, in the caller's transaction. Raises OB001 when the lease was lost: then nothing of the
-- transaction is kept. `p_due_ms` counts for ready (again) and waiting. With `p_lease_ms` the worker takes the next ready step of the run at once; with
-- `p_stays` too, when the run has none, the next due step of its lane, with the facts of that step's run.
create or replace function flow.finish_step(p_run uuid, p_step uuid, p_owner uuid, p_state flow.step_state, p_note text, p_output jsonb, p_summary text, p_error jsonb,
  p_due_ms bigint, p_skip text[], p_skip_summary text, p_lease_ms integer, p_stays boolean, out took uuid, out context jsonb, out run jsonb)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  c constant uuid := app.worker_customer();
  me record;
  next record;
  is_open constant boolean := p_state in ('ready', 'waiting');
begin
  -- The join gives no row before the run's is locked, so the run is locked before the step is changed.
  with run as materialized (
    select r.state, r.stopping, r.deadline_at, r.error from flow.runs r where r.customer_id = c and r.id = p_run for no key update)
  update flow.steps s set state = p_state, lease_owner = null, lease_until = null,
      output = coalesce(p_output, s.output), summary = coalesce(p_summary, s.summary), error = p_error,
      attempt = case when p_note = 'later' then 0 else s.attempt end,
      crashes = case when is_open then 0 else s.crashes end,
      due_at = case when not is_open then s.due_at
                    when s.run_on = 'always' then clock_timestamp() + p_due_ms * interval '1 ms'
                    else least(clock_timestamp() + p_due_ms * interval '1 ms', greatest(run.deadline_at, clock_timestamp())) end,
      ended_at = case when not is_open then clock_timestamp() end,
      history = flow.noted(s.history, jsonb_build_object('attempt', s.attempt, 'started_at', s.attempt_at, 'ended_at', clock_timestamp(), 'outcome', p_note, 'error', p_error))
    from run where s.customer_id = c and s.run_id = p_run and s.id = p_step and s.lease_owner = p_owner
    returning run.state as run_state, run.stopping, run.error, s.workflow_id, s.run_on, s.on_failure, s.phase into me;
  if not found then
    raise exception 'The lease of this step was lost.' using errcode = 'OB001';
  end if;
  if p_skip <> '{}' then
    update flow.steps s set state = 'skipped', summary = p_skip_summary, ended_at = clock_timestamp()
      where s.customer_id = c and s.run_id = p_run and s.key = any (p_skip) and s.state = 'pending';
  end if;
  if not is_open and p_state not in ('ended', 'skipped') and me.on_failure = 'fail' then
    perform flow.stop_run(p_run, (case when me.phase = 'reread' then 'unverified' else p_state::text end)::flow.run_state, p_error);
    select r.stopping, r.error into me.stopping, me.error from flow.runs r where r.customer_id = c and r.id = p_run;
  elsif is_open and me.stopping is not null and me.run_on = 'success' then
    -- The run went down while this step was running: it does not start again.
    perform flow.stop_run(p_run, me.stopping, me.error);
  end if;
  next := flow.advance(p_run, me.run_state, me.stopping, me.error, case when not is_open and p_lease_ms is not null then p_owner end, p_lease_ms);
  took := next.took;
  context := next.context;
  if took is null and p_stays and p_lease_ms is not null then
    next := flow.take_in_lane(me.workflow_id, p_owner, p_lease_ms);
    took := next.took;
    context := next.context;
    run := next.run;
  end if;
end $$;

-- Before an act: writes down that it begins. What to do: `act`, `look` for the effect of an earlier attempt first, `look_only` (the run goes down: never
-- act again), `stop` (it goes down and nothing has begun).
create or replace function flow.begin_act(p_run uuid, p_step uuid, p_owner uuid, p_change text, out todo text, out begun_at timestamptz)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  c constant uuid := app.worker_customer();
  run record;
begin
  select r.stopping is not null or r.deadline_at < clock_timestamp() as goes_down into run
    from flow.runs r where r.customer_id = c and r.id = p_run for no key update;
  if not exists (select from flow.steps s where s.customer_id = c and s.id = p_step and s.lease_owner = p_owner) then
    raise exception 'The lease of this step was lost.' using errcode = 'OB001';
  end if;
  select x.act_started_at into begun_at from flow.changes x where x.customer_id = c and x.run_id = p_run and x.key = p_change for no key update;
  if begun_at is not null then
    todo := case when run.goes_down then 'look_only' else 'look' end;
  elsif run.goes_down then
    todo := 'stop';
  else
    update flow.changes x set act_started_at = clock_timestamp() where x.customer_id = c and x.run_id = p_run and x.key = p_change
      returning x.act_started_at into begun_at;
    todo := 'act';
  end if;
end $$;

-- The approval of a step: made when missing. The caller finishes the step in the same transaction; the run's lock keeps a decision from slipping between.
create or replace function flow.ask_approval(p_run uuid, p_step uuid, p_title text, p_policy text, p_plan jsonb, p_expires_ms bigint, p_change text,
  out state text, out expires_in_ms bigint, out reason text, out decided_by uuid, out decided_as text)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  c constant uuid := app.worker_customer();
  run record;
begin
  select r.stopping, r.started_by into run from flow.runs r where r.customer_id = c and r.id = p_run for no key update;
  if run.stopping is null then
    insert into flow.approvals (customer_id, run_id, step_id, title, policy, plan, requested_at, requested_by, expires_at)
      values (c, p_run, p_step, p_title, p_policy, p_plan, clock_timestamp(), run.started_by, clock_timestamp() + p_expires_ms * interval '1 ms')
      on conflict (customer_id, step_id) do nothing;
    update flow.changes x set state = 'waiting' where x.customer_id = c and x.run_id = p_run and x.key = p_change and x.state = 'planned';
  end if;
  update flow.approvals a set state = 'expired' where a.customer_id = c and a.step_id = p_step and a.state = 'waiting' and a.expires_at <= clock_timestamp();
  select a.state, greatest(0, ceil(extract(epoch from a.expires_at - clock_timestamp()) * 1000))::bigint, a.reason, a.decided_by, app.person_shown(a.decided_by)
    into state, expires_in_ms, reason, decided_by, decided_as from flow.approvals a where a.customer_id = c and a.step_id = p_step;
  state := coalesce(state, 'cancelled');
  if state <> 'waiting' then
    update flow.changes x set state = 'planned' where x.customer_id = c and x.run_id = p_run and x.key = p_change and x.state = 'waiting';
  end if;
end $$;

-- A person decides. `result`: `decided`, `missing`, or the state that the approval is in already.
create or replace function flow.decide(p_approval uuid, p_state text, p_by uuid, p_reason text, out result text, out run_id uuid, out run_state flow.run_state)
language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  c constant uuid := app.worker_customer();
  asked uuid;
begin
  select a.run_id into run_id from flow.approvals a where a.customer_id = c and a.id = p_approval;
  if not found then
    result := 'missing';
    return;
  end if;
  perform from flow.runs r where r.customer_id = c and r.id = run_id for no key update;
  update flow.approvals a set state = p_state, decided_by = p_by, decided_at = clock_timestamp(), reason = p_reason
    where a.customer_id = c and a.id = p_approval and a.state = 'waiting' and a.expires_at > clock_timestamp()
    returning a.step_id into asked;
  if not found then
    select case when a.state = 'waiting' then 'expired' else a.state end into result from flow.approvals a where a.customer_id = c and a.id = p_approval;
    return;
  end if;
  update flow.steps s set state = 'ready', due_at = clock_timestamp() where s.customer_id = c and s.id = asked and s.state = 'waiting';
  update flow.runs r set state = 'running' where r.customer_id = c and r.id = decide.run_id and r.state = 'waiting';
  result := 'decided';
  run_state := 'running';
  perform pg_notify('flow_steps', '');
end $$;

-- A person cancels a run. `result`: `cancelled`, `missing`, `over`.
create or replace function flow.cancel_run(p_run uuid, p_by uuid, p_reason text, out result text, out run_state flow.run_state) language plpgsql set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  c constant uuid := app.worker_customer();
  run record;
begin
  select r.state, r.stopping into run from flow.runs r where r.customer_id = c and r.id = p_run for no key update;
  if not found then
    result := 'missing';
  elsif run.state not in ('queued', 'running', 'waiting') or run.stopping is not null then
    result := 'over';
    run_state := run.state;
  else
    perform flow.stop_run(p_run, 'cancelled', jsonb_build_object('code', 'cancelled', 'by', p_by, 'by_shown', app.person_shown(p_by),
      'reason', p_reason, 'message', left('Cancelled' || coalesce(' by ' || app.person_shown(p_by), '') || ': ' || p_reason, 500)));
    select a.run_state into run_state from flow.advance(p_run, run.state, null, null, null, null) a;
    result := 'cancelled';
  end if;
end $$;

revoke all on all functions in schema flow from public;
grant execute on function flow.noted(jsonb, jsonb) to worker, system;
grant execute on function flow.claim_steps(uuid, integer, integer, uuid, uuid) to system;
grant execute on function flow.run_facts(flow.runs), flow.step_facts(flow.steps), flow.outcome_of(uuid, uuid), flow.survey(uuid, uuid),
  flow.step_context(uuid, uuid, jsonb, jsonb, boolean, flow.run_state, jsonb), flow.open_step(uuid, uuid, uuid), flow.extend_lease(uuid, uuid, integer),
  flow.start_run(uuid, uuid, integer, text, boolean, jsonb, text, uuid, text, uuid, text, bigint, smallint, jsonb),
  flow.stop_run(uuid, flow.run_state, jsonb), flow.advance(uuid, flow.run_state, flow.run_state, jsonb, uuid, integer),
  flow.take_in_lane(uuid, uuid, integer),
  flow.finish_step(uuid, uuid, uuid, flow.step_state, text, jsonb, text, jsonb, bigint, text[], text, integer, boolean),
  flow.begin_act(uuid, uuid, uuid, text), flow.ask_approval(uuid, uuid, text, text, jsonb, bigint, text),
  flow.decide(uuid, text, uuid, text), flow.cancel_run(uuid, uuid, text) to worker;
