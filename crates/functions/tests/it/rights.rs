//! Who may call what, and what is written down about it.
use kernel::ErrorCode;
use pg::Actor;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{Api, MustFail as _};

/// Every function with ids that belong to this customer, and ids of nothing.
fn inputs(customer: impl serde::Serialize + Copy) -> Vec<(&'static str, Value)> {
    let id = Uuid::now_v7();
    vec![
        ("auto-remediation", json!({ "action": "approve", "customer_id": customer, "approval_id": id })),
        ("auto-remediation", json!({ "action": "execute", "customer_id": customer, "incident_id": id })),
        (
            "auto-remediation",
            json!({ "action": "cancel", "customer_id": customer, "run_id": id, "reason": "no" }),
        ),
        ("graph-api", json!({ "customer_id": customer, "call": "users" })),
        (
            "graph-api",
            json!({ "customer_id": customer, "tenant_id": id, "call": "user", "id": "a@b.example" }),
        ),
        (
            "mfa",
            json!({ "action": "accept", "customer_id": customer, "person_id": id, "reason": "no", "until": "2999-01-01T00:00:00Z" }),
        ),
        ("mfa", json!({ "action": "withdraw", "customer_id": customer, "person_id": id })),
        ("microsoft-sync", json!({ "integration_id": id })),
        ("ninjaone-sync", json!({ "integration_id": id })),
        (
            "ninjaone-sync",
            json!({ "integration_id": id, "kind": "full", "accept_fall": { "sync_run_id": id, "reason": "no" } }),
        ),
        ("ninjaone-ticket", json!({ "action": "create", "customer_id": customer, "ticket_id": id })),
        ("reconcile", json!({ "action": "run", "customer_id": customer })),
        (
            "reconcile",
            json!({ "action": "ignore", "customer_id": customer, "difference_id": id, "reason": "no", "until": "2999-01-01T00:00:00Z" }),
        ),
        ("reconcile", json!({ "action": "unignore", "customer_id": customer, "difference_id": id })),
        (
            "reconcile",
            json!({ "action": "approve", "customer_id": customer, "difference_id": id, "proration": "none" }),
        ),
        ("revio-data", json!({ "action": "sync", "integration_id": id })),
        ("sharepoint-sync", json!({ "action": "sync", "integration_id": id })),
        (
            "sharepoint-sync",
            json!({ "action": "choose", "customer_id": customer, "document_site_id": id, "reads": "documents" }),
        ),
        (
            "workflow-executor",
            json!({ "action": "start", "customer_id": customer, "workflow_key": "nothing" }),
        ),
        (
            "workflow-executor",
            json!({ "action": "cancel", "customer_id": customer, "run_id": id, "reason": "no" }),
        ),
    ]
}

#[tokio::test]
async fn another_customers_ids_are_not_found_by_anybody_of_this_one() {
    let api = Api::new().await;
    for (name, input) in inputs(api.fabrikam) {
        let answer = api.call(&api.at_contoso, name, &input, Some(&Uuid::now_v7().to_string())).await;
        answer.must_fail(ErrorCode::NotFound);
        let foreign = api.fabrikam.to_string();
        assert!(!answer.text.contains(&foreign) && !answer.text.contains("fabrikam"), "{}", answer.text);
    }
    let untouched = "select (select count(*) from flow.runs) + (select count(*) from public.sync_runs)";
    assert_eq!(api.db.read::<i64>(untouched).await, 0);
}

#[tokio::test]
async fn who_sees_the_customer_but_may_not_is_told_what_is_missing() {
    let api = Api::new().await;
    for (name, input) in inputs(api.contoso) {
        let answer = api.call(&api.at_contoso, name, &input, None).await;
        let code = answer.json()["code"].clone();
        // A portal user may write tickets, and knows of no integration.
        if matches!(
            name,
            "ninjaone-ticket"
                | "ninjaone-sync"
                | "revio-data"
                | "microsoft-sync"
                | "sharepoint-sync"
                | "graph-api"
        ) {
            assert_eq!(code, "OB3001", "{name}: {}", answer.text);
        } else {
            assert_eq!(code, "OB2002", "{name} {input}: {}", answer.text);
            let declared = functions::entries().into_iter().find(|entry| entry.name == name).expect("one");
            assert!(declared.permissions.iter().any(|it| answer.text.contains(it)), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn every_declared_permission_exists() {
    let api = Api::new().await;
    for entry in functions::entries() {
        for permission in entry.permissions {
            let sql = format!("select count(*) from public.permissions where permission = '{permission}'");
            assert_eq!(api.db.read::<i64>(&sql).await, 1, "{}: {permission}", entry.name);
        }
    }
}

#[tokio::test]
async fn calls_are_written_down_with_their_outcome_also_when_refused() {
    let api = Api::new().await;
    let (done, refused) = (Uuid::now_v7(), Uuid::now_v7());
    api.count(&api.at_contoso, done, "answer", None).await;
    api.count(&api.at_contoso, refused, "refuse", Some("one")).await;
    let input = json!({ "action": "cancel", "customer_id": api.fabrikam, "run_id": done, "reason": "no" });
    api.call(&api.at_contoso, "workflow-executor", &input, None).await;
    api.call(&api.at_contoso, "ninjaone-sync", &json!({ "unknown": 1 }), None).await;
    let line =
        |name: &str, status, code: Option<&str>| (name.to_owned(), Some(status), code.map(str::to_owned));
    assert_eq!(
        api.written(&api.at_contoso).await,
        [
            line("count", 200, None),
            line("count", 409, Some("OB3002")),
            line("ninjaone-sync", 400, Some("OB1001")),
            line("workflow-executor", 404, Some("OB3001")),
        ]
    );
    let seen = async |actor: &Actor| {
        let tx = api.db.pg.act_as(actor).await.expect("a transaction");
        tx.query("select id from public.function_calls", &[]).await.expect("rows").len()
    };
    assert_eq!(seen(&api.at_contoso).await, 4, "one's own");
    assert_eq!(seen(&api.at_fabrikam).await, 0, "not another person's");
    assert_eq!(seen(&api.technician).await, 0, "without audit:read");
    assert_eq!(seen(&api.owner).await, 4, "with audit:read");
    let request = api.at_contoso.request.expect("a request id");
    let sql = format!("select count(*) from app.function_calls where request_id = '{request}'");
    assert_eq!(api.db.read::<i64>(&sql).await, 4);
}
