//! No fault takes anything away, changes a value or writes a change down.
use serde_json::json;

use crate::world::World;

const GONE: &str = "select (select count(*) from public.cipp_tenants where missing_since is not null) + (select count(*) from public.tenant_settings where missing_since is not null)
    + (select count(*) from public.integration_organizations where missing_since is not null) + (select count(*) from public.tenant_setting_changes)";

#[tokio::test]
async fn faults_take_nothing_away_and_change_nothing() {
    let world = World::read(7).await;
    let before = world.found().await;
    assert_eq!(before, world.told().await);
    let (ends, tenants) =
        ("select count(*) from public.integration_expiries", "select count(*) from public.cipp_tenants");
    let (ends_before, tenants_before) = (world.count(ends).await, world.count(tenants).await);
    let faults = [
        ("truncated_list", "/api/ListTenants", 200),
        ("truncated_list", "/api/ListStandardsCompare", 1),
        ("server_error", "/api/ListStandardsCompare", 100),
        ("error_text", "/api/ListStandardsCompare", 100),
        ("html_page", "/api/ListStandardsCompare", 100),
        ("placeholder", "/api/ListStandardsCompare", 100),
        ("not_ok", "/api/ListStandardsCompare", 100),
        ("dropped_connection", "/api/ListStandardsCompare", 100),
        ("false_row", "/api/ListTenants", 4),
        ("server_error", "/api/ListTenants", 100),
        ("placeholder", "/api/ListTenants", 4),
        ("html_page", "/api", 200),
    ];
    for (kind, path, times) in faults {
        world.fault(kind, path, times).await;
        let state = world.sync().await;
        assert!(state == "partial" || state == "failed", "{kind} {path}: {state}");
        assert_eq!(world.found().await, before, "{kind} {path} ({state})");
        assert_eq!(world.count(GONE).await, 0, "{kind} {path} ({state})");
        assert_eq!(
            (world.count(ends).await, world.count(tenants).await),
            (ends_before, tenants_before),
            "{kind} {path}"
        );
        world.clear_faults().await;
    }
    // One tenant's failure touches no other.
    let domain = world.count_domain().await;
    let order = json!({ "vendor": "cipp", "kind": "error_text", "path_prefix": "/api/ListStandardsCompare", "query_contains": domain, "times": 9 });
    world.control("/faults", order).await;
    world.sync().await;
    let denied = "select count(*) from public.cipp_tenant_parts where state = 'denied' and permission = 'Tenant.BestPracticeAnalyser.Read'";
    assert_eq!(world.count(denied).await, 1);
    let whole =
        "select count(*) from public.cipp_tenant_parts where part = 'settings' and state = 'complete'";
    assert_eq!(world.count(whole).await + 3, tenants_before, "two are in trouble of their own");
    // A role that sees fewer tenants takes none of the others away.
    world.control("/settings", json!({ "cipp_role": "limited" })).await;
    world.clear_faults().await;
    assert_eq!(world.sync().await, "partial");
    assert_eq!((world.count(GONE).await, world.found().await), (0, before));
}

impl World {
    async fn count_domain(&self) -> String {
        let sql = "select default_domain from public.cipp_tenants where not is_excluded and graph_error_count = 0 order by name limit 1";
        self.admin.query_one(sql, &[]).await.expect("a domain").get(0)
    }
}
