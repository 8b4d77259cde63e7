//! Alerts of tenants' security services: each is open here once, and is resolved by the vendor's own word only.
use serde_json::{Value, json};

use crate::world::World;

const OPEN: &str = "select count(*) from public.alerts where source = 'microsoft' and state <> 'resolved'";

impl World {
    async fn raise(&self, title: &str) -> Value {
        let order = json!({ "organization_id": 1, "action": "raise", "title": title });
        self.control("/security-alerts", order).await["ids"][0].clone()
    }

    async fn resolve(&self, id: &Value) {
        self.control("/security-alerts", json!({ "organization_id": 1, "action": "resolve", "id": id }))
            .await;
    }
}

#[tokio::test]
async fn an_alert_of_the_vendor_is_one_alert_here_until_it_is_resolved_there() {
    let world = World::new(6, 60).await;
    world.sync(world.graph, "full").await;
    let before = world.count(OPEN).await;
    let id = world.raise("Stolen token").await;
    world.sync(world.graph, "incremental").await;
    world.sync(world.graph, "full").await;
    assert_eq!(world.count(OPEN).await, before + 1, "once, however often it is read");
    let incident = "select count(*) from public.alert_list where source = 'microsoft' and severity = 'major' and title like '%Stolen token%' and incident_id is not null";
    assert_eq!(world.count(incident).await, 1);
    world.resolve(&id).await;
    world.sync(world.graph, "incremental").await;
    assert_eq!(world.count(OPEN).await, before);
    let over =
        "select count(*) from public.incident_list where title like '%Stolen token%' and state = 'resolved'";
    assert_eq!(world.count(over).await, 1, "nobody worked on it");
    let resolved = "select count(*) from public.alerts where source = 'microsoft' and title like '%Malware was prevented%'";
    assert_eq!(world.count(resolved).await, 0, "what was over before it was read is none");
}

#[tokio::test]
async fn no_fault_resolves_an_alert() {
    let world = World::new(4, 40).await;
    let id = world.raise("Stolen token").await;
    world.sync(world.graph, "full").await;
    let open = world.count(OPEN).await;
    assert!(open > 0);
    for (kind, state) in [
        ("truncated_list", "complete"),
        ("server_error", "partial"),
        ("missing_permission", "complete"),
        ("too_many_requests", "partial"),
    ] {
        world.fault(kind, "/v1.0/security/alerts_v2", 60).await;
        assert_eq!(world.sync(world.graph, "incremental").await, state, "{kind}");
        assert_eq!(world.count(OPEN).await, open, "{kind}");
        world.clear_faults().await;
    }
    let named =
        "select count(*) from public.tenant_parts where part = 'security_alerts' and state = 'complete'";
    world.sync(world.graph, "incremental").await;
    assert_eq!(world.count(named).await, world.count("select count(*) from public.tenants").await);
    world.resolve(&id).await;
    world.fault("truncated_list", "/v1.0/security/alerts_v2", 60).await;
    world.sync(world.graph, "incremental").await;
    assert_eq!(world.count(OPEN).await, open - 1, "asked for by its own id, or listed as resolved");
}
