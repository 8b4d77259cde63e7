//! A real installation, and isolation at the HTTP surface: another customer's ids in every position.
use std::ffi::OsStr;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    api::Caller,
    process::{Demo, folder},
};

const NOT_FOUND: &str = "OB3001";

/// One demo for the checks below: starting it costs more than they do.
#[tokio::test(flavor = "multi_thread")]
async fn the_surface_gives_strangers_nothing() {
    let dir = folder();
    let demo =
        Demo::start(&dir.path().join("data"), &["--customers", "4", "--devices", "60"].map(OsStr::new));
    let owner = Caller::sign_in(&demo.url, "owner@msp.example").await;
    owner
        .wait_rows("the first synchronization", "source_list?last_complete_at=not.is.null", |rows| {
            !rows.is_empty()
        })
        .await;
    let customers = owner.rows("customers?select=id,slug&order=slug").await;
    let (ours, theirs) = (&customers[0], &customers[1]);
    let portal =
        Caller::sign_in(&demo.url, &format!("portal@{}.example", ours["slug"].as_str().expect("a slug")))
            .await;

    foreign_ids_are_not_found(&owner, &portal, theirs).await;
    bad_input_is_explained(&owner).await;
    bad_tokens_are_refused(&demo.url, &owner).await;
    webhooks_need_their_secret(&demo.url, &owner).await;
    headers_and_health(&demo.url).await;
    assert!(demo.process.terminate().success());
}

async fn foreign_ids_are_not_found(owner: &Caller, portal: &Caller, theirs: &Value) {
    let id = theirs["id"].as_str().expect("an id");
    for table in [
        "customers",
        "devices",
        "sites",
        "device_list",
        "tickets",
        "runs",
        "steps",
        "changes",
        "approvals",
        "evidence",
        "incidents",
        "alerts",
    ] {
        let key = if table == "customers" { "id" } else { "customer_id" };
        let (status, rows) = portal.get(&format!("/rest/v1/{table}?{key}=eq.{id}")).await;
        assert_eq!((status, rows.as_array().map(Vec::len)), (StatusCode::OK, Some(0)), "{table}: {rows}");
    }
    let seen = portal.rows("devices?select=customer_id").await;
    assert!(!seen.is_empty() && seen.iter().all(|row| row["customer_id"] != id));
    let device = &owner.rows(&format!("devices?customer_id=eq.{id}&select=id&limit=1")).await[0];
    let (status, said) = portal
        .raw(
            Method::POST,
            "/rest/v1/tickets",
            json!({ "customer_id": id, "subject": "x" }).to_string().into(),
        )
        .await;
    assert_eq!((status, said["code"].as_str()), (StatusCode::NOT_FOUND, Some(NOT_FOUND)), "{said}");
    assert!(!said.to_string().contains(id), "{said}");
    let calls = [
        ("auto-remediation", json!({ "action": "approve", "customer_id": id, "approval_id": device["id"] })),
        ("auto-remediation", json!({ "action": "execute", "customer_id": id, "incident_id": device["id"] })),
        (
            "auto-remediation",
            json!({ "action": "cancel", "customer_id": id, "run_id": device["id"], "reason": "x" }),
        ),
        (
            "workflow-executor",
            json!({ "action": "start", "customer_id": id, "workflow_key": "incidents.free_disk_space" }),
        ),
        ("ninjaone-ticket", json!({ "action": "create", "customer_id": id, "ticket_id": device["id"] })),
        ("ninjaone-sync", json!({ "integration_id": device["id"] })),
    ];
    for (name, body) in calls {
        let (status, said) = portal.call(name, &body).await;
        assert_eq!(
            (status, said["code"].as_str()),
            (StatusCode::NOT_FOUND, Some(NOT_FOUND)),
            "{name} {body}: {said}"
        );
    }
    // The same ids under the caller's own customer: nothing of the other one is reached by mixing.
    let own = &portal.rows("customers?select=id").await[0]["id"];
    let mixed = json!({ "action": "create", "customer_id": own, "ticket_id": device["id"] });
    assert_eq!(portal.call("ninjaone-ticket", &mixed).await.0, StatusCode::NOT_FOUND);
    let (status, rows) =
        portal.get(&format!("/rest/v1/tickets?select=id,devices(id,name)&customer_id=eq.{id}")).await;
    assert_eq!((status, rows.as_array().map(Vec::len)), (StatusCode::OK, Some(0)), "{rows}");
    for path in
        ["integrations", "sync_runs", "source_list", "audit_log", "remediation_rules", "webhook_deliveries"]
    {
        let (_, rows) = portal.get(&format!("/rest/v1/{path}")).await;
        assert!(rows.as_array().is_none_or(Vec::is_empty), "{path}: {rows}");
    }
}

async fn bad_input_is_explained(owner: &Caller) {
    let path = "/functions/v1/auto-remediation";
    let id = "018f0000-0000-7000-8000-000000000000";
    let expect = async |body: Vec<u8>, status: StatusCode, code: &str| {
        let (got, said) = owner.raw(Method::POST, path, body).await;
        assert_eq!((got, said["code"].as_str()), (status, Some(code)), "{said}");
        assert!(said["message"].as_str().is_some_and(|text| !text.is_empty()));
    };
    expect(b"{".to_vec(), StatusCode::BAD_REQUEST, "OB1001").await;
    expect(b"[]".to_vec(), StatusCode::BAD_REQUEST, "OB1001").await;
    expect(b"\xff\xfe".to_vec(), StatusCode::BAD_REQUEST, "OB1001").await;
    expect(json!({ "action": "explode" }).to_string().into(), StatusCode::BAD_REQUEST, "OB1001").await;
    expect(
        json!({ "action": "approve", "customer_id": id, "approval_id": 7 }).to_string().into(),
        StatusCode::BAD_REQUEST,
        "OB1001",
    )
    .await;
    let unknown = json!({ "action": "approve", "customer_id": id, "approval_id": id, "force": true });
    expect(unknown.to_string().into(), StatusCode::BAD_REQUEST, "OB1001").await;
    let injected = json!({ "action": "approve", "customer_id": "' or 1=1 --", "approval_id": id });
    expect(injected.to_string().into(), StatusCode::BAD_REQUEST, "OB1001").await;
    let empty = json!({ "action": "reject", "customer_id": id, "approval_id": id, "reason": "" });
    expect(empty.to_string().into(), StatusCode::UNPROCESSABLE_ENTITY, "OB1003").await;
    let long =
        json!({ "action": "reject", "customer_id": id, "approval_id": id, "reason": "x".repeat(2_001) });
    expect(long.to_string().into(), StatusCode::UNPROCESSABLE_ENTITY, "OB1003").await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    expect(deep.into(), StatusCode::BAD_REQUEST, "OB1001").await;
    expect(vec![b' '; kernel::limits::BODY_BYTES_MAX + 1], StatusCode::PAYLOAD_TOO_LARGE, "OB1002").await;
    let unseen = json!({ "action": "execute", "customer_id": id, "incident_id": id });
    expect(unseen.to_string().into(), StatusCode::NOT_FOUND, NOT_FOUND).await;
    assert_eq!(owner.call("no-such-function", &json!({})).await.0, StatusCode::NOT_FOUND);
    assert_eq!(owner.get("/functions/v1/auto-remediation").await.0, StatusCode::METHOD_NOT_ALLOWED);
}

async fn bad_tokens_are_refused(url: &str, owner: &Caller) {
    let nobody = Caller::nobody(url);
    let (status, said) = nobody.get("/rest/v1/customers").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{said}");
    assert_eq!(nobody.call("ninjaone-sync", &json!({})).await.0, StatusCode::UNAUTHORIZED);
    for token in
        ["x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIiwicm9sZSI6InN0YWZmIn0.", &"a".repeat(20_000)]
    {
        let (status, said) = owner.with_token(token).get("/rest/v1/customers").await;
        assert!(
            status == StatusCode::UNAUTHORIZED || status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "{status} {said}"
        );
    }
}

async fn webhooks_need_their_secret(url: &str, owner: &Caller) {
    let integration = owner.rows("integrations?select=id").await[0]["id"].as_str().expect("an id").to_owned();
    let nobody = Caller::nobody(url);
    let delivery = json!({ "id": 1, "activityType": "CONDITION", "statusCode": "TRIGGERED" });
    for path in [integration.as_str(), "018f0000-0000-7000-8000-000000000000"] {
        let (status, said) = nobody.call(&format!("ninjaone-webhook/{path}"), &delivery).await;
        assert_eq!((status, said["code"].as_str()), (StatusCode::UNAUTHORIZED, Some("OB2001")), "{said}");
    }
    assert!(owner.rows("webhook_deliveries?select=id").await.is_empty());
}

async fn headers_and_health(url: &str) {
    let http = crate::api::client();
    let page = http.get(url).send().await.expect("the console");
    let policy = page.headers()["content-security-policy"].to_str().expect("text");
    assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    let answer = http
        .get(format!("{url}/rest/v1/customers"))
        .header("origin", "https://evil.example")
        .send()
        .await
        .expect("an answer");
    assert!(answer.headers().get("access-control-allow-origin").is_none());
    assert!(answer.headers().contains_key("x-request-id"));
    let ready: Value =
        http.get(format!("{url}/readyz")).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(ready, json!({ "database": true, "schema_cache": true, "access_log": "ok" }));
    let metrics =
        http.get(format!("{url}/metrics")).send().await.expect("an answer").text().await.expect("text");
    assert!(
        metrics.contains("http_requests_total") && metrics.contains("route=\"/functions/v1/{name}\""),
        "{metrics}"
    );
    let document: Value =
        http.get(format!("{url}/openapi.json")).send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!(document["openapi"], "3.1.0");
}
