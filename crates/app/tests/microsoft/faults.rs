//! No fault takes anything away, opens or closes anything, or changes an outcome.
use serde_json::json;

use crate::world::World;

const GONE: &str = "select (select count(*) from public.tenant_people where missing_since is not null) + (select count(*) from public.person_licenses where missing_since is not null)
    + (select count(*) from public.license_skus where missing_since is not null) + (select count(*) from public.access_policies where missing_since is not null)
    + (select count(*) from public.tenants where missing_since is not null) + (select count(*) from public.integration_organizations where missing_since is not null)";

#[tokio::test]
async fn faults_take_nothing_away_and_open_and_close_nothing() {
    let world = World::read(10, 150).await;
    world.reconcile().await;
    let (open, outcomes) = (world.open().await, world.found_mfa().await);
    assert_eq!(open, world.wrong().await);
    let faults = [
        ("truncated_list", "/v1.0/users", 40),
        ("truncated_list", "/v1.0/subscribedSkus", 1),
        ("server_error", "/v1.0/users", 200),
        ("html_page", "/v1.0/subscribedSkus", 200),
        ("too_many_requests", "/v1.0/users", 200),
        ("repeated_page", "/v1.0/users", 40),
        ("empty_page", "/v1.0/users", 40),
        ("expired_token", "/v1.0/users", 3),
        ("missing_permission", "/v1.0/users", 200),
        ("missing_permission", "/v1.0/identity/conditionalAccess", 200),
        ("missing_permission", "/v1.0/roleManagement", 200),
        ("server_error", "/v1.0/policies", 200),
        ("truncated_list", "/v1.0/tenantRelationships", 2),
        ("batch_throttled", "/beta", 30),
        ("dropped_connection", "/v1.0/users", 30),
        ("server_error", "/login", 200),
        ("truncated_list", "/v1.0/identity/conditionalAccess", 1),
    ];
    for (kind, path, times) in faults {
        world.fault(kind, path, times).await;
        let state = world.sync(world.graph, "full").await;
        let ended = world.reconcile().await;
        assert_eq!(
            (ended.opened, ended.closed, ended.reopened),
            (0, 0, 0),
            "{kind} {path} ({state}): {ended:?}"
        );
        assert_eq!(world.open().await, open, "{kind} {path} ({state})");
        assert_eq!(world.found_mfa().await, outcomes, "{kind} {path} ({state})");
        assert_eq!(world.count(GONE).await, 0, "{kind} {path} ({state})");
        world.clear_faults().await;
    }
    world.sync(world.graph, "full").await;
    let ended = world.reconcile().await;
    assert_eq!((ended.skipped.len(), ended.opened, ended.closed), (1, 0, 0), "{ended:?}");
    assert_eq!(
        world.count("select count(*) from public.count_differences where stale_since is not null").await,
        0
    );
}

#[tokio::test]
async fn a_tenant_that_does_not_let_us_in_leaves_the_others_whole() {
    let world = World::read(10, 100).await;
    let shut = "select count(distinct tenant_id) from public.tenant_parts where state = 'denied' and reason like '%does not let the application in%'";
    assert_eq!(world.count(shut).await, 1);
    let whole = "select count(*) from (select from public.tenant_parts where part in ('organization', 'seats', 'people') group by customer_id, tenant_id
        having bool_and(state = 'complete')) x";
    let mapped = "select count(*) from public.tenants where missing_since is null";
    assert_eq!(world.count(whole).await, world.count(mapped).await - 1);
    let told = "select count(*) from public.sync_parts where part = 'people' and state = 'partial' and error ->> 'message' like '1 tenant was not read%'";
    assert_eq!(world.count(told).await, 1);
    // A second one loses a right: only that one is passed over.
    let tenant =
        world.tenants().await.into_iter().find(|it| it["consent"] == true && it["organization_id"].is_i64());
    let tenant = tenant.expect("a tenant")["tenant_id"].clone();
    let order = json!({ "vendor": "graph", "kind": "missing_permission", "path_prefix": "/v1.0/users", "tenant_id": tenant, "times": 50 });
    world.control("/faults", order).await;
    world.sync(world.graph, "full").await;
    let named = "select count(*) from public.tenant_parts where part = 'people' and state = 'denied' and permission = 'User.Read.All'";
    assert_eq!((world.count(named).await, world.reconcile().await.skipped.len()), (1, 2));
    let kept = "select count(*) from public.tenant_people where missing_since is not null";
    assert_eq!(world.count(kept).await, 0);
}

#[tokio::test]
async fn an_account_is_gone_only_when_the_vendor_says_so_of_its_id() {
    let world = World::read(5, 60).await;
    let left = world.control("/people", json!({ "organization_id": 1, "action": "leave", "count": 1 })).await;
    let user = left["people"][0]["user_id"].as_str().expect("an id").to_owned();
    world.fault("truncated_list", "/v1.0/users", 40).await;
    assert_ne!(world.sync(world.graph, "full").await, "complete");
    world.clear_faults().await;
    let others = format!(
        "select count(*) from public.tenant_people where missing_since is not null and external_id <> '{user}'"
    );
    assert_eq!(world.count(&others).await, 0, "half a list takes nothing away that exists");
    assert_eq!(world.sync(world.graph, "incremental").await, "complete");
    let theirs = format!("select count(*) from public.tenant_people p where p.missing_since is not null and p.external_id = '{user}'
        and not exists (select from public.person_licenses l where l.customer_id = p.customer_id and l.person_id = p.id and l.missing_since is null)
        and not exists (select from public.mfa_results r where r.customer_id = p.customer_id and r.person_id = p.id)");
    assert_eq!((world.count(&theirs).await, world.count(&others).await), (1, 0));
}
