//! `reconcile` and `revio-data`: who may, what is refused, and that each vendor has its own function.
use kernel::{Clock, ErrorCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{Api, MustFail as _};

async fn integration(api: &Api, vendor: &str) -> Uuid {
    let sql = "insert into public.integrations (vendor, name, base_url) values ($1, $1, 'https://vendor.example') returning id";
    api.db.admin_client().await.query_one(sql, &[&vendor]).await.expect("an integration").get(0)
}

fn approve(customer: &kernel::id::CustomerId) -> Value {
    json!({ "action": "approve", "customer_id": customer, "difference_id": Uuid::nil(), "proration": "none" })
}

#[tokio::test]
async fn each_vendor_is_synchronized_by_its_own_function() {
    let api = Api::new().await;
    let (ninja, revio) = (integration(&api, "ninjaone").await, integration(&api, "revio").await);
    let sync = |id: Uuid| json!({ "action": "sync", "integration_id": id });
    api.call(&api.technician, "revio-data", &sync(ninja), None).await.must_fail(ErrorCode::NotFound);
    let wrong = json!({ "integration_id": revio });
    api.call(&api.technician, "ninjaone-sync", &wrong, None).await.must_fail(ErrorCode::NotFound);
    api.call(&api.at_contoso, "revio-data", &sync(revio), None).await.must_fail(ErrorCode::NotFound);
    let queued = api.call(&api.technician, "revio-data", &sync(revio), None).await;
    assert_eq!((queued.status.as_u16(), &queued.json()["already_running"]), (200, &json!(false)));
    let again = api.call(&api.technician, "revio-data", &sync(revio), None).await.json();
    assert_eq!(
        (&again["already_running"], &again["sync_run_id"]),
        (&json!(true), &queued.json()["sync_run_id"])
    );
}

#[tokio::test]
async fn a_comparison_is_asked_for_by_whoever_manages_billing() {
    let api = Api::over(testkit::TestDb::new().await, Clock::system()).await;
    let run = json!({ "action": "run" });
    api.call(&api.technician, "reconcile", &run, None).await.must_fail(ErrorCode::NotPermitted);
    api.call(&api.at_contoso, "reconcile", &run, None).await.must_fail(ErrorCode::NotFound);
    let done = api.call(&api.owner, "reconcile", &run, None).await;
    assert_eq!(done.status.as_u16(), 200, "{}", done.json());
    assert_eq!((&done.json()["action"], &done.json()["customers_done"]), (&json!("run"), &json!(0)));
    let one = json!({ "action": "run", "customer_id": api.contoso });
    assert_eq!(api.call(&api.owner, "reconcile", &one, None).await.status.as_u16(), 200);
    api.call(&api.at_fabrikam, "reconcile", &one, None).await.must_fail(ErrorCode::NotFound);
    api.call(&api.at_contoso, "reconcile", &one, None).await.must_fail(ErrorCode::NotPermitted);
    api.call(&api.owner, "reconcile", &approve(&api.contoso), None).await.must_fail(ErrorCode::NotFound);
    api.call(&api.at_fabrikam, "reconcile", &approve(&api.contoso), None)
        .await
        .must_fail(ErrorCode::NotFound);
}

#[tokio::test]
async fn a_value_that_makes_no_sense_is_refused() {
    let api = Api::new().await;
    let preview = |multiplier: &str| json!({ "action": "preview_rule", "billing_product_id": Uuid::nil(), "device_classes": ["server"], "approved_only": true, "multiplier": multiplier });
    for multiplier in ["0", "-1", "1001", "many"] {
        let answer = api.call(&api.owner, "reconcile", &preview(multiplier), None).await;
        answer.must_fail(ErrorCode::ValueRefused);
    }
    api.call(&api.owner, "reconcile", &preview("1"), None).await.must_fail(ErrorCode::NotFound);
    let mut odd = approve(&api.contoso);
    odd["amount"] = json!("12.00");
    api.call(&api.owner, "reconcile", &odd, None).await.must_fail(ErrorCode::BodyInvalid);
    let mut undecided = approve(&api.contoso);
    undecided.as_object_mut().expect("an object").remove("proration");
    api.call(&api.owner, "reconcile", &undecided, None).await.must_fail(ErrorCode::BodyInvalid);
}
