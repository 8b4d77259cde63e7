-- What Intune says of devices, and what is made of it and the RMM: people read it, background work writes it.
select app.protect('public.managed_devices', 'devices', '{select}');
revoke select on public.managed_devices from authenticated;
grant select (customer_id, id, tenant_id, name, serial_number, entra_device_id, os_name, os_version, compliance, is_encrypted, owner_kind, user_principal_name,
  manufacturer, model, last_sync_at, enrolled_at, observed_at, is_complete, missing_since) on public.managed_devices to authenticated;
select app.protect('public.endpoints', 'devices', '{select}');
select app.protect('public.endpoint_records', 'devices', '{select}');

-- What is in doubt, and what was decided about it, is the provider's work. Decisions are made through the function `identity` only.
create policy staff_select on public.endpoint_conflicts for select to staff using ((select app.has('devices:read')));
create policy worker_all on public.endpoint_conflicts for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
create policy staff_select on public.endpoint_decisions for select to staff using ((select app.has('devices:read')));
create policy worker_all on public.endpoint_decisions for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
grant select on public.endpoint_conflicts, public.endpoint_decisions to staff;
grant select, insert, update, delete on public.endpoint_conflicts, public.endpoint_decisions to worker;
select app.watch('public.endpoint_decisions');

-- Each record of a machine with what its source says, in one form. The order of precedence is `place`: the RMM's agent reads the machine itself; of two
-- records of one source the one that was seen last speaks first.
create view public.endpoint_record_list with (security_invoker = true) as
  select r.customer_id, r.id, r.endpoint_id, r.source, d.id as record_id, r.device_id, r.managed_device_id, d.name, d.serial_number, d.os_name, null::text as os_version,
         d.manufacturer, d.model, d.last_user, null::text as user_principal_name, null::text as compliance, null::boolean as is_encrypted, null::text as owner_kind,
         null::timestamptz as enrolled_at, d.last_contact_at as last_seen_at, s.name as site_name, d.observed_at,
         d.observed_at + (select app.row_stale_after(d.integration_id)) as stale_at, d.is_complete, d.missing_since,
         r.link_kind, r.confidence, r.evidence, r.decided_by, r.decision_id, r.since, r.ended_at, 1 as place
  from public.endpoint_records r
  join public.devices d on d.customer_id = r.customer_id and d.id = r.device_id
  left join public.sites s on s.customer_id = d.customer_id and s.id = d.site_id
  union all
  select r.customer_id, r.id, r.endpoint_id, r.source, m.id, r.device_id, r.managed_device_id, m.name, m.serial_number, m.os_name, m.os_version,
         m.manufacturer, m.model, null, m.user_principal_name, m.compliance, m.is_encrypted, m.owner_kind,
         m.enrolled_at, m.last_sync_at, null, m.observed_at,
         least(m.observed_at + (select app.row_stale_after(t.integration_id)), (select app.access_lost_since(t.integration_id, t.external_id))), m.is_complete, m.missing_since,
         r.link_kind, r.confidence, r.evidence, r.decided_by, r.decision_id, r.since, r.ended_at, 2
  from public.endpoint_records r
  join public.managed_devices m on m.customer_id = r.customer_id and m.id = r.managed_device_id
  left join public.tenants t on t.customer_id = m.customer_id and t.id = m.tenant_id;
comment on view public.endpoint_record_list is 'Records of machines with what their source says, and why they are of this machine: for the record page.';
grant select on public.endpoint_record_list to authenticated, staff;

-- One row per attribute of a machine: the value that counts, who says it, how old it is, and who says something else.
create view public.endpoint_attributes with (security_invoker = true) as
  with told as (
    select r.customer_id, r.endpoint_id, a.attribute, a.value, a.same_as, r.source, r.record_id, r.observed_at, r.stale_at, r.is_complete,
           row_number() over w as place, first_value(a.same_as) over w as first_same_as
    from public.endpoint_record_list r
    cross join lateral (values
      ('name', r.name, lower(left(trim(r.name), 15)), r.place),
      ('serial_number', nullif(trim(r.serial_number), ''), upper(regexp_replace(r.serial_number, '\s', '', 'g')), r.place),
      -- Intune says "Windows" where the RMM says which one.
      ('operating_system', r.os_name, lower(split_part(r.os_name, ' ', 1)), r.place),
      ('os_version', r.os_version, r.os_version, r.place),
      ('manufacturer', r.manufacturer, lower(r.manufacturer), r.place),
      ('model', r.model, lower(r.model), r.place),
      ('site', r.site_name, r.site_name, r.place),
      ('person', r.user_principal_name, lower(r.user_principal_name), r.place),
      ('last_user', r.last_user, lower(r.last_user), r.place),
      ('compliance', r.compliance, r.compliance, r.place),
      ('encrypted', case r.is_encrypted when true then 'yes' when false then 'no' end, r.is_encrypted::text, r.place),
      ('owner', r.owner_kind, r.owner_kind, r.place),
      ('enrolled_at', to_char(r.enrolled_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), null, r.place)
    ) as a (attribute, value, same_as, place)
    where r.ended_at is null and r.missing_since is null and a.value is not null
    window w as (partition by r.customer_id, r.endpoint_id, a.attribute order by a.place, r.last_seen_at desc nulls last, r.record_id)
  )
  select customer_id, endpoint_id, attribute, (array_agg(value order by place))[1] as value, (array_agg(source order by place))[1] as source,
         (array_agg(record_id order by place))[1] as record_id, (array_agg(observed_at order by place))[1] as observed_at,
         (array_agg(stale_at order by place))[1] as stale_at, (array_agg(is_complete order by place))[1] as is_complete,
         coalesce(jsonb_agg(jsonb_build_object('value', value, 'source', source, 'record_id', record_id, 'observed_at', observed_at) order by place)
           filter (where place > 1 and same_as is distinct from first_same_as), '[]') as also
  from told group by customer_id, endpoint_id, attribute;
comment on view public.endpoint_attributes is 'Each attribute of a machine with its source, its age, and what other sources say instead: for the record page. Ask for one machine.';
grant select on public.endpoint_attributes to authenticated, staff;

-- Outer joins, because counting leaves them out, and scalar sub-selects, because they are worked out for the rows of the page only.
create view public.endpoint_list with (security_invoker = true) as
  select e.customer_id, e.id, c.name as customer_name, e.name, e.class, e.os_name, e.serial_number, e.sources, e.coverage, e.confidence, e.site_id, s.name as site_name,
         e.person_id, p.display_name as person_name, p.user_principal_name as person_user_principal_name, e.open_conflicts, e.open_conflicts > 0 as needs_decision,
         (select max(r.last_seen_at) from public.endpoint_record_list r where r.customer_id = e.customer_id and r.endpoint_id = e.id and r.ended_at is null) as last_seen_at,
         (select min(r.observed_at) from public.endpoint_record_list r where r.customer_id = e.customer_id and r.endpoint_id = e.id and r.ended_at is null) as observed_at,
         (select min(r.stale_at) from public.endpoint_record_list r where r.customer_id = e.customer_id and r.endpoint_id = e.id and r.ended_at is null) as stale_at,
         (select coalesce(bool_and(r.is_complete), true) from public.endpoint_record_list r
            where r.customer_id = e.customer_id and r.endpoint_id = e.id and r.ended_at is null) as is_complete,
         e.changed_at, e.created_at
  from public.endpoints e
  left join public.customers c on c.id = e.customer_id
  left join public.sites s on s.customer_id = e.customer_id and s.id = e.site_id
  left join public.tenant_people p on p.customer_id = e.customer_id and p.id = e.person_id
  where e.ended_at is null;
comment on view public.endpoint_list is 'Machines with who knows them, whose they are and whether something about them is to be decided, for the list screen.';
grant select on public.endpoint_list to authenticated, staff;

create view public.endpoint_conflict_list with (security_invoker = true) as
  select x.customer_id, x.id, c.name as customer_name, x.kind, x.evidence, x.since, x.records as record_ids, x.endpoint_ids,
         (select coalesce(jsonb_agg(jsonb_build_object('record_id', r.record_id, 'endpoint_id', r.endpoint_id, 'source', r.source, 'name', r.name,
              'serial_number', r.serial_number, 'user_principal_name', r.user_principal_name, 'last_seen_at', r.last_seen_at, 'observed_at', r.observed_at)
              order by r.place, r.name, r.record_id), '[]')
            from public.endpoint_record_list r
            where r.customer_id = x.customer_id and r.ended_at is null and r.endpoint_id = any (x.endpoint_ids) and r.record_id = any (x.records)) as records
  from public.endpoint_conflicts x
  left join public.customers c on c.id = x.customer_id
  where x.resolved_at is null;
comment on view public.endpoint_conflict_list is 'What a person has to decide about machines, with what each record says, for the list screen.';
grant select on public.endpoint_conflict_list to staff;

create view public.endpoint_decision_list with (security_invoker = true) as
  select d.customer_id, d.id, c.name as customer_name, d.verdict, d.records as record_ids, d.facts, d.reason, d.created_at, d.created_by, (select p.display_name from public.people p where p.id = d.created_by) as created_by_name,
         d.ended_at, d.end_reason, (select p.display_name from public.people p where p.id = d.ended_by) as ended_by_name
  from public.endpoint_decisions d
  left join public.customers c on c.id = d.customer_id;
comment on view public.endpoint_decision_list is 'What people decided about machines, and what was taken back.';
grant select on public.endpoint_decision_list to staff;

create view public.endpoint_overview with (security_invoker = true) as
  select e.customer_id, c.name as customer_name, count(*)::integer as endpoints,
         count(*) filter (where e.coverage = 'covered')::integer as covered, count(*) filter (where e.coverage = 'rmm_only')::integer as rmm_only,
         count(*) filter (where e.coverage = 'mdm_only')::integer as mdm_only, count(*) filter (where e.coverage = 'stale')::integer as stale,
         count(*) filter (where e.open_conflicts > 0)::integer as to_decide
  from public.endpoints e left join public.customers c on c.id = e.customer_id
  where e.ended_at is null
  group by e.customer_id, c.name
  union all
  select null, null, count(*)::integer,
         count(*) filter (where e.coverage = 'covered')::integer, count(*) filter (where e.coverage = 'rmm_only')::integer,
         count(*) filter (where e.coverage = 'mdm_only')::integer, count(*) filter (where e.coverage = 'stale')::integer,
         count(*) filter (where e.open_conflicts > 0)::integer
  from public.endpoints e where e.ended_at is null;
comment on view public.endpoint_overview is 'How many machines are managed, enrolled, both or silent: per customer, and in total where customer_id is null.';
grant select on public.endpoint_overview to authenticated, staff;
