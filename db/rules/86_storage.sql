-- Files. A customer's file is checked like every other row of the customer, and its bucket says what members may do there.

-- The buckets that the caller's role may use: `read`, `add`, or `change` (overwrite, rename, remove).
create or replace function app.buckets_for(of_kind text, verb text) returns text[]
language sql stable security definer set search_path = '' as $$
  select coalesce(array_agg(b.name), '{}') from storage.buckets b
  where b.kind = of_kind and (verb <> 'change' or not b.is_write_once)
    and (current_setting('role') = 'staff'
      or current_setting('role') = 'authenticated' and (b.member_access = 'write' or b.member_access = 'read' and verb = 'read'))
$$;
comment on function app.buckets_for(text, text) is 'Definer: reads the rules of all buckets, also of those the caller does not see.';

-- Does this person, who signed a link and is not here now, still hold the right it stands on?
create or replace function app.person_may_use_file(person uuid, of_bucket text, for_customer uuid, verb text) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from auth.users u join storage.buckets b on b.name = of_bucket
    where u.id = person and u.disabled_at is null and (b.kind = 'customer') = (for_customer is not null)
      and (exists (select from public.staff_members m join public.role_permissions p on p.role = m.role
                   where m.user_id = u.id and p.permission = case verb when 'read' then 'files:read' else 'files:write' end)
        or (b.member_access = 'write' or b.member_access = 'read' and verb = 'read')
          and exists (select from public.memberships m join public.role_permissions p on p.role = m.role
                      where m.user_id = u.id and m.customer_id = for_customer
                        and p.permission = case verb when 'read' then 'files:read' else 'files:write' end)))
$$;
comment on function app.person_may_use_file(uuid, text, uuid, text) is 'Definer: looks up the rights of the signer of a link; called by background work only.';
revoke all on function app.buckets_for(text, text), app.person_may_use_file(uuid, text, uuid, text) from public;
grant execute on function app.buckets_for(text, text) to authenticated, staff;
grant execute on function app.person_may_use_file(uuid, text, uuid, text) to worker;

-- Buckets: staff see all; members those that are open to them. Only holders of buckets:write make and change them.
create policy owner_select on storage.buckets for select to owner using (true);
create policy staff_select on storage.buckets for select to staff using ((select app.has('files:read')));
create policy member_select on storage.buckets for select to authenticated using (member_access <> 'none' and (select app.session_lives()));
create policy staff_insert on storage.buckets for insert to staff with check ((select app.has('buckets:write')));
create policy staff_update on storage.buckets for update to staff using ((select app.has('buckets:write'))) with check ((select app.has('buckets:write')));
create policy staff_delete on storage.buckets for delete to staff using ((select app.has('buckets:write')));
create policy worker_select on storage.buckets for select to worker using (true);
grant select on storage.buckets to authenticated, staff, worker;
grant insert, update, delete on storage.buckets to staff;
select app.open_to_system('storage.buckets', 'select, insert');
select app.watch('storage.buckets');

-- The rights to files: files:read and files:write, at the customer that is the first folder of the name, in a bucket that allows the verb.
create policy member_select on storage.objects for select to authenticated
  using (customer_id = any ((select app.customers_with('files:read'))::uuid[]) and bucket = any ((select app.buckets_for('customer', 'read'))::text[]));
create policy member_insert on storage.objects for insert to authenticated
  with check (customer_id = any ((select app.customers_with('files:write'))::uuid[]) and bucket = any ((select app.buckets_for('customer', 'add'))::text[]));
create policy member_update on storage.objects for update to authenticated
  using (customer_id = any ((select app.customers_with('files:write'))::uuid[]) and bucket = any ((select app.buckets_for('customer', 'change'))::text[]))
  with check (customer_id = any ((select app.customers_with('files:write'))::uuid[]) and bucket = any ((select app.buckets_for('customer', 'add'))::text[]));
create policy member_delete on storage.objects for delete to authenticated
  using (customer_id = any ((select app.customers_with('files:write'))::uuid[]) and bucket = any ((select app.buckets_for('customer', 'change'))::text[]));
create policy staff_select on storage.objects for select to staff
  using ((select app.has('files:read')) and bucket = any ((select app.buckets_for('customer', 'read'))::text[]));
create policy staff_insert on storage.objects for insert to staff
  with check ((select app.has('files:write')) and bucket = any ((select app.buckets_for('customer', 'add'))::text[]));
create policy staff_update on storage.objects for update to staff
  using ((select app.has('files:write')) and bucket = any ((select app.buckets_for('customer', 'change'))::text[]))
  with check ((select app.has('files:write')) and bucket = any ((select app.buckets_for('customer', 'add'))::text[]));
create policy staff_delete on storage.objects for delete to staff
  using ((select app.has('files:write')) and bucket = any ((select app.buckets_for('customer', 'change'))::text[]));
-- Links and public buckets are served as background work of the one customer.
create policy worker_all on storage.objects for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
grant select, insert, update, delete on storage.objects to authenticated, staff, worker;
select app.open_to_system('storage.objects', 'select');
select app.watch('storage.objects');

-- The provider's own files: its people only.
create policy staff_select on storage.provider_objects for select to staff
  using ((select app.has('files:read')) and bucket = any ((select app.buckets_for('provider', 'read'))::text[]));
create policy staff_insert on storage.provider_objects for insert to staff
  with check ((select app.has('files:write')) and bucket = any ((select app.buckets_for('provider', 'add'))::text[]));
create policy staff_update on storage.provider_objects for update to staff
  using ((select app.has('files:write')) and bucket = any ((select app.buckets_for('provider', 'change'))::text[]))
  with check ((select app.has('files:write')) and bucket = any ((select app.buckets_for('provider', 'add'))::text[]));
create policy staff_delete on storage.provider_objects for delete to staff
  using ((select app.has('files:write')) and bucket = any ((select app.buckets_for('provider', 'change'))::text[]));
create policy worker_all on storage.provider_objects for all to worker using (true) with check (true);
grant select, insert, update, delete on storage.provider_objects to staff, worker;
select app.open_to_system('storage.provider_objects', 'select');
select app.watch('storage.provider_objects');

-- An upload under way belongs to who started it, while the right to write lasts.
create policy member_own on storage.uploads for all to authenticated
  using (user_id = (select app.user_id()) and customer_id = any ((select app.customers_with('files:write'))::uuid[])
    and bucket = any ((select app.buckets_for('customer', 'add'))::text[]))
  with check (user_id = (select app.user_id()) and customer_id = any ((select app.customers_with('files:write'))::uuid[])
    and bucket = any ((select app.buckets_for('customer', 'add'))::text[]));
create policy staff_own on storage.uploads for all to staff
  using (user_id = (select app.user_id()) and (select app.has('files:write')) and bucket = any ((select app.buckets_for('customer', 'add'))::text[]))
  with check (user_id = (select app.user_id()) and (select app.has('files:write')) and bucket = any ((select app.buckets_for('customer', 'add'))::text[]));
create policy staff_own on storage.provider_uploads for all to staff
  using (user_id = (select app.user_id()) and (select app.has('files:write')) and bucket = any ((select app.buckets_for('provider', 'add'))::text[]))
  with check (user_id = (select app.user_id()) and (select app.has('files:write')) and bucket = any ((select app.buckets_for('provider', 'add'))::text[]));
grant select, insert, delete on storage.uploads to authenticated, staff;
grant update (offset_bytes, part_keys, completed_at) on storage.uploads to authenticated, staff;
grant select, insert, delete on storage.provider_uploads to staff;
grant update (offset_bytes, part_keys, completed_at) on storage.provider_uploads to staff;
select app.open_to_system('storage.uploads', 'select, delete'), app.open_to_system('storage.provider_uploads', 'select, delete');

-- Attachments follow from the objects: <customer>/tickets/<ticket>/<file> in the bucket `attachments`. People see them with the ticket.
select app.protect('public.ticket_attachments', 'tickets', '{select}');
revoke insert, update, delete on public.ticket_attachments from worker;
create policy owner_select on public.ticket_attachments for select to owner using (true);
create policy owner_insert on public.ticket_attachments for insert to owner with check (true);
create policy owner_delete on public.ticket_attachments for delete to owner using (true);
select app.watch('public.ticket_attachments');

create or replace function app.object_attached() returns trigger
language plpgsql security definer set search_path = '' as $$
declare
  asker text := current_setting('role');
  place text[] := regexp_match(new.name, '^[^/]+/tickets/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/(?:.*/)?([^/]+)$');
  shown text := left(coalesce(nullif(trim(new.user_metadata ->> 'file_name'), ''), place[2]), 255);
begin
  if tg_op = 'UPDATE' then
    delete from public.ticket_attachments a where a.customer_id = new.customer_id and a.object_id = new.id;
  end if;
  if new.bucket <> 'attachments' or place is null then
    return null;
  end if;
  if asker = 'staff' and not app.has('tickets:write')
     or asker = 'authenticated' and new.customer_id <> all (app.customers_with('tickets:write')) then
    raise exception 'Attaching a file to a ticket needs the permission tickets:write.' using errcode = 'PT403';
  end if;
  insert into public.ticket_attachments (customer_id, ticket_id, object_id, file_name, added_by)
  values (new.customer_id, place[1]::uuid, new.id, shown, app.user_id());
  insert into public.ticket_events (customer_id, ticket_id, kind, body, actor_id)
  values (new.customer_id, place[1]::uuid, 'attachment', 'Attached ' || shown || '.', app.user_id());
  return null;
end $$;
comment on function app.object_attached() is 'Definer: writes the ticket''s attachments and history, which people may only read; asks for tickets:write itself.';
create trigger object_attached after insert or update of name, bucket on storage.objects for each row execute function app.object_attached();

-- With a ticket go the files that were attached to it; their bytes are swept.
create policy owner_select on storage.objects for select to owner using (bucket = 'attachments');
create policy owner_delete on storage.objects for delete to owner using (bucket = 'attachments');
create or replace function app.ticket_files_gone() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if not exists (select from public.tickets t where t.customer_id = old.customer_id and t.id = old.ticket_id) then
    delete from storage.objects o where o.customer_id = old.customer_id and o.id = old.object_id and o.bucket = 'attachments';
  end if;
  return null;
end $$;
comment on function app.ticket_files_gone() is 'Definer: whoever removes a ticket may have no right to its files.';
revoke all on function app.ticket_files_gone() from public;
create trigger ticket_files_gone after delete on public.ticket_attachments for each row execute function app.ticket_files_gone();

create view public.ticket_attachment_list with (security_invoker = true) as
  select a.customer_id, a.id, a.ticket_id, a.file_name, a.added_by, a.added_at, o.bucket, o.name, o.size_bytes, o.mime_type, o.sha256
  from public.ticket_attachments a
  join storage.objects o on o.customer_id = a.customer_id and o.id = a.object_id;
comment on view public.ticket_attachment_list is 'Attachments of tickets with size, type, hash and the name under which storage serves them.';
grant select on public.ticket_attachment_list to authenticated, staff;
