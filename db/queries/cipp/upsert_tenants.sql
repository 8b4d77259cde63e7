-- One customer's tenants as just read; returns what became of them.
with input as (
  select * from jsonb_to_recordset($3::jsonb) as i (external_id text, name text, default_domain text, initial_domain text, is_excluded boolean, graph_error_count integer,
    last_graph_error text, requires_refresh boolean, access_kind text, access_ends_at timestamptz, access_renews boolean, raw jsonb, content_hash text)
), known as (
  select t.external_id, t.content_hash = decode(i.content_hash, 'hex') and t.missing_since is null as is_same
  from input i join public.cipp_tenants t on t.customer_id = $1 and t.integration_id = $2 and t.external_id = i.external_id
), touched as (
  update public.cipp_tenants t set observed_at = greatest(t.observed_at, $5), is_complete = $6, seen_in_sync = $4
  from known k where t.customer_id = $1 and t.integration_id = $2 and t.external_id = k.external_id and k.is_same returning 1
), written as (
  insert into public.cipp_tenants as t (customer_id, integration_id, external_id, name, default_domain, initial_domain, is_excluded, graph_error_count, last_graph_error,
    requires_refresh, access_kind, access_ends_at, access_renews, raw, content_hash, observed_at, is_complete, seen_in_sync)
  select $1, $2, i.external_id, i.name, i.default_domain, i.initial_domain, i.is_excluded, i.graph_error_count, i.last_graph_error, i.requires_refresh, i.access_kind,
    i.access_ends_at, i.access_renews, i.raw, decode(i.content_hash, 'hex'), $5, $6, $4
  from input i where not exists (select from known k where k.external_id = i.external_id and k.is_same)
  on conflict (customer_id, integration_id, external_id) do update
    set name = excluded.name, default_domain = excluded.default_domain, initial_domain = excluded.initial_domain, is_excluded = excluded.is_excluded,
        graph_error_count = excluded.graph_error_count, last_graph_error = excluded.last_graph_error, requires_refresh = excluded.requires_refresh,
        access_kind = excluded.access_kind, access_ends_at = excluded.access_ends_at, access_renews = excluded.access_renews, raw = excluded.raw,
        content_hash = excluded.content_hash, observed_at = greatest(t.observed_at, excluded.observed_at), is_complete = excluded.is_complete,
        seen_in_sync = excluded.seen_in_sync, missing_since = null
  returning xmax = 0 as is_new
)
select (select count(*) from written where is_new) as created, (select count(*) from written where not is_new) as updated, (select count(*) from touched) as unchanged
