-- What is known of one customer's tenants, for whoever may read people.
select t.id, t.external_id, t.name, t.default_domain, t.is_excluded, t.graph_error_count, t.last_graph_error, t.requires_refresh, t.access_kind, t.access_ends_at, t.access_renews,
       t.settings, t.settings_unlike, t.settings_state, t.settings_reason, t.settings_permission, t.settings_observed_at, t.observed_at, t.stale_at, t.is_complete
from public.cipp_tenant_list t where t.customer_id = $1 and t.missing_since is null order by t.name, t.id limit 100
