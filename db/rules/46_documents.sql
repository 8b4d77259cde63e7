-- Documents are for the provider's people: a customer's own people use SharePoint itself, and see nothing of this here.
create policy staff_select on public.document_tenants for select to staff using ((select app.has('documents:read')));
create policy staff_select on public.document_sites for select to staff using ((select app.has('documents:read')));
create policy staff_select on public.document_site_parts for select to staff using ((select app.has('documents:read')));
create policy staff_select on public.document_drives for select to staff using ((select app.has('documents:read')));
create policy staff_select on public.documents for select to staff using ((select app.has('documents:read')));
create policy staff_select on public.document_texts for select to staff using ((select app.has('documents:read')));
create policy staff_select on public.document_shares for select to staff using ((select app.has('documents:read')));
-- What is read of a site is theirs to choose; everything else is the vendor's word.
create policy staff_update on public.document_sites for update to staff
  using ((select app.has('documents:manage'))) with check ((select app.has('documents:manage')));
create policy worker_all on public.document_tenants for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
create policy worker_all on public.document_sites for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
create policy worker_all on public.document_site_parts for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
create policy worker_all on public.document_drives for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
create policy worker_all on public.documents for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
create policy worker_all on public.document_texts for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
create policy worker_all on public.document_shares for all to worker
  using (customer_id = (select app.worker_customer())) with check (customer_id = (select app.worker_customer()));
grant select on public.document_tenants, public.document_sites, public.document_site_parts, public.documents, public.document_texts, public.document_shares to staff;
-- The vendor's links of a library stay inside: they are keys to its changes.
grant select (customer_id, id, site_id, external_id, name, web_url, used_bytes, total_bytes, complete_at, observed_at, missing_since) on public.document_drives to staff;
grant update (reads) on public.document_sites to staff;
grant select, insert, update, delete on public.document_tenants, public.document_sites, public.document_site_parts, public.document_drives, public.documents,
  public.document_texts, public.document_shares to worker;
-- Where a tenant is filed, over all customers: so that one that was mapped anew is never shown to two. Keys only.
create policy system_select on public.document_tenants for select to system using (true);
grant select (customer_id, id, integration_id, external_id, missing_since) on public.document_tenants to system;

-- Who chose, and when, is not the caller's to say.
create or replace function app.stamp_site_choice() returns trigger language plpgsql set search_path = '' as $$
begin
  if new.reads is distinct from old.reads then
    new.chosen_by := app.user_id();
    new.chosen_at := now();
  end if;
  return new;
end $$;
create trigger stamp_site_choice before update of reads on public.document_sites for each row execute function app.stamp_site_choice();
-- A site that was seen again is no change.
create trigger audit after insert or delete on public.document_sites for each row execute function app.audit();
create trigger audit_choice after update on public.document_sites for each row
  when ((old.reads, old.name, old.missing_since) is distinct from (new.reads, new.name, new.missing_since)) execute function app.audit();

-- The tenants that the connections to Microsoft 365 show are those of SharePoint, and what a person said of one there holds here when
-- it is first seen: it is the same tenant by its id. What is mapped later is each connection's own.
create or replace function app.offer_document_tenants(p_integration uuid, p_home text, p_at timestamptz) returns integer
language plpgsql set search_path = '' as $$
declare
  offered integer;
begin
  insert into public.integration_organizations as o (integration_id, external_id, name, domain, customer_id, mapped_at, observed_at)
  select distinct on (k.external_id) p_integration, k.external_id, k.name, k.domain, k.customer_id, case when k.customer_id is not null then p_at end, p_at
  from public.integration_organizations k join public.integrations i on i.id = k.integration_id and i.vendor = 'microsoft'
  where k.missing_since is null
  order by k.external_id, k.customer_id nulls last
  on conflict (integration_id, external_id) do update
    set name = excluded.name, domain = excluded.domain, observed_at = excluded.observed_at, missing_since = null;
  get diagnostics offered = row_count;
  insert into public.integration_organizations as o (integration_id, external_id, name, observed_at)
  select p_integration, p_home, 'The provider''s own tenant', p_at
  where not exists (select from public.integration_organizations k where k.integration_id = p_integration and k.external_id = p_home);
  update public.integration_organizations o set missing_since = p_at
  where o.integration_id = p_integration and o.missing_since is null and o.external_id <> p_home
    and exists (select from public.integration_organizations k join public.integrations i on i.id = k.integration_id and i.vendor = 'microsoft'
      where k.external_id = o.external_id)
    and not exists (select from public.integration_organizations k join public.integrations i on i.id = k.integration_id and i.vendor = 'microsoft'
      where k.external_id = o.external_id and k.missing_since is null);
  return offered;
end $$;
revoke all on function app.offer_document_tenants(uuid, text, timestamptz), app.stamp_site_choice() from public;
grant execute on function app.offer_document_tenants(uuid, text, timestamptz) to worker;

create view public.document_site_list with (security_invoker = true) as
  select s.customer_id, s.id, c.name as customer_name, s.tenant_id, t.name as tenant_name, t.integration_id, s.name, s.web_url, s.kind,
         s.storage_used_bytes, s.storage_total_bytes, s.reads, s.chosen_by, s.chosen_at,
         s.files, s.texts, s.anonymous_links,
         (select coalesce(jsonb_agg(jsonb_build_object('part', p.part, 'state', p.state, 'reason', p.reason, 'permission', p.permission, 'observed_at', p.observed_at,
            'attempted_at', p.attempted_at, 'rows', p.row_count) order by p.part), '[]') from public.document_site_parts p
            where p.customer_id = s.customer_id and p.site_id = s.id) as parts,
         coalesce((select p.state from public.document_site_parts p where p.customer_id = s.customer_id and p.site_id = s.id and p.state <> 'complete'
            order by case p.state when 'failed' then 1 when 'partial' then 2 else 3 end, p.part limit 1), 'complete') as worst_state,
         (select p.reason from public.document_site_parts p where p.customer_id = s.customer_id and p.site_id = s.id and p.state <> 'complete'
            order by case p.state when 'failed' then 1 when 'partial' then 2 else 3 end, p.part limit 1) as worst_reason,
         s.observed_at, least(s.observed_at + (select app.source_stale_after(t.integration_id)), (select app.access_lost_since(t.integration_id, t.external_id))) as stale_at, s.is_complete, s.missing_since
  from public.document_sites s
  left join public.customers c on c.id = s.customer_id
  left join public.document_tenants t on t.customer_id = s.customer_id and t.id = s.tenant_id;
comment on view public.document_site_list is 'SharePoint sites with their size, what is read of them, what could not be, and how many links are open to anybody: for the list screen.';

-- A document is as fresh as the last complete round over its library: what a round does not name has not changed.
create view public.document_list with (security_invoker = true) as
  select d.customer_id, d.id, c.name as customer_name, d.site_id, s.name as site_name, s.reads as site_reads, d.drive_id, r.name as drive_name, d.name, d.path, d.kind, d.mime,
         d.size_bytes, d.web_url, d.modified_at, d.modified_by, d.quick_xor_hash, d.sha256, d.is_shared, d.text_state, d.text_reason,
         (select o.name from storage.objects o where o.customer_id = d.customer_id and o.id = d.object_id) as object_name,
         (select count(*)::integer from public.document_shares h where h.customer_id = d.customer_id and h.document_id = d.id and h.missing_since is null) as shares,
         (select min(h.risk)::integer from public.document_shares h where h.customer_id = d.customer_id and h.document_id = d.id and h.missing_since is null) as risk,
         greatest(d.observed_at, r.complete_at) as observed_at,
         least(greatest(d.observed_at, r.complete_at) + (select app.source_stale_after(t.integration_id)), (select app.access_lost_since(t.integration_id, t.external_id))) as stale_at,
         r.complete_at is not null as is_complete, d.missing_since
  from public.documents d
  left join public.customers c on c.id = d.customer_id
  left join public.document_sites s on s.customer_id = d.customer_id and s.id = d.site_id
  left join public.document_drives r on r.customer_id = d.customer_id and r.id = d.drive_id
  left join public.document_tenants t on t.customer_id = s.customer_id and t.id = s.tenant_id;
comment on view public.document_list is 'Files and folders with where they are, who changed them last, and how far they are shared: for the list screen.';

create view public.document_share_list with (security_invoker = true) as
  select h.customer_id, h.id, c.name as customer_name, h.document_id, d.name as document_name, d.path, d.kind as document_kind, d.site_id, s.name as site_name, d.web_url,
         h.scope, h.kind, h.link_type, h.has_password, h.expires_at, h.granted_to, h.is_external, h.risk, h.first_seen_at,
         case h.risk
           when 1 then 'Remove the link, or let people sign in: whoever finds it can change the content, for ever.'
           when 2 then 'Ask whether strangers must change this; a link to view is enough for most.'
           when 3 then 'Give the link an end, or a password.'
           when 4 then 'Nothing, when the link was meant: it ends or asks for a password.'
           when 5 then 'Ask the owner whether these guests still work on it.'
           when 6 then 'Ask the owner whether these guests still need it.'
           when 7 then 'Everybody in the organization with the link can change it: share with a group instead.'
           else 'Nothing to do.' end as todo,
         h.observed_at, least(h.observed_at + (select app.row_stale_after(t.integration_id)), (select app.access_lost_since(t.integration_id, t.external_id))) as stale_at, h.is_complete, h.missing_since
  from public.document_shares h
  left join public.customers c on c.id = h.customer_id
  left join public.documents d on d.customer_id = h.customer_id and d.id = h.document_id
  left join public.document_sites s on s.customer_id = d.customer_id and s.id = d.site_id
  left join public.document_tenants t on t.customer_id = s.customer_id and t.id = s.tenant_id;
comment on view public.document_share_list is 'Every link and guest that opens a document, the widest first, with what to do: for the list screen.';
grant select on public.document_site_list, public.document_list, public.document_share_list to staff;

-- Search. As with devices and tickets a definer finds the keys, because row-level security keeps the planner from the indexes; the list view shows
-- these rows under the policies as ever.
create policy owner_select on public.documents for select to owner using (true);
create policy owner_select on public.document_texts for select to owner using (true);

-- What people type, stemmed and as it is; one word also finds longer ones. Null when there is nothing to look for.
create or replace function app.document_query(term text) returns tsquery language sql immutable set search_path = '' as $$
  select case when numnode(q.stems) = 0 then null
              when btrim(term) ~ '^[[:alnum:]]{3,40}$' then q.stems || q.words || to_tsquery('pg_catalog.simple', lower(btrim(term)) || ':*')
              else q.stems || q.words end
  from (select websearch_to_tsquery('pg_catalog.english', left(term, 300)) as stems, websearch_to_tsquery('pg_catalog.simple', left(term, 300)) as words) q
$$;

create or replace function app.documents_found(term text) returns table (customer_id uuid, id uuid, rank real)
language plpgsql stable security definer set search_path = '' set plan_cache_mode = force_custom_plan rows 200 as $$
declare
  query constant tsquery := app.document_query(term);
  found_max constant integer := 20000;
  hits integer;
begin
  if query is null or not app.searches_all('documents:read') then
    return;
  end if;
  return query
    select f.customer_id, f.id, max(f.rank)::real from (
      (select x.customer_id, x.document_id as id, ts_rank(x.words, query) as rank from public.document_texts x where x.words @@ query limit found_max + 1)
      union all
      (select d.customer_id, d.id, (1 + ts_rank(d.title_words, query))::real from public.documents d
        where d.title_words @@ query and d.missing_since is null limit found_max + 1)) f
    group by f.customer_id, f.id;
  get diagnostics hits = row_count;
  if hits > found_max then
    raise exception 'More than % documents have this in their words.', found_max using errcode = 'PT422', hint = 'Add another word.';
  end if;
end $$;
comment on function app.documents_found(text) is 'Definer: finds by an index, which row-level security forbids. Asks its caller''s permission first; gives keys to the provider''s people only.';

create view public.document_hit_list with (security_invoker = true) as
  select l.*, null::real as rank, null::text as snippet from public.document_list l;
comment on view public.document_hit_list is 'What a search of documents gives: a document, how well it fits, and the words around. The characters U+0002 and U+0003 stand around each word that was found.';
grant select on public.document_hit_list to staff;
create or replace function public.search_documents(term text) returns setof public.document_hit_list language sql stable rows 200 as $$
  select l.*, f.rank,
         (select ts_headline('pg_catalog.english', x.text, (select app.document_query(term)),
            'StartSel="' || chr(2) || '", StopSel="' || chr(3) || '", MaxFragments=2, MinWords=10, MaxWords=28, FragmentDelimiter=" … "')
          from public.document_texts x where x.customer_id = l.customer_id and x.document_id = l.id)
  from app.documents_found(term) f join public.document_list l on l.id = f.id and coalesce(l.customer_id = f.customer_id, false)
$$;
comment on function public.search_documents(text) is 'Documents with these words in their text or name, with the words around. Quotes hold words together, a hyphen leaves one out. More than 20,000 are refused (422).';
revoke all on function app.document_query(text), app.documents_found(text), public.search_documents(text) from public;
grant execute on function app.document_query(text), app.documents_found(text), public.search_documents(text) to staff;
