//! Tokens, the three layers of errors, and strictness.
use connector_api::{Call, VendorError};
use sandbox::{ClientApp, Scope, Standing};
use serde_json::{Value, json};

use crate::support::{Host, config, host, host_with};

async fn error_of(host: &Host, call: Call) -> (u16, Value) {
    let answer = host.send(call).await.unwrap();
    (answer.status, answer.json().unwrap())
}

#[tokio::test]
async fn the_token_end_point_knows_its_own_clients_only() {
    let (host, island) = (host(1, 1).await, host(1, 1).await);
    let answer = host.sign_in(&[]).await.json().unwrap();
    assert_eq!(answer["expires_in"], 3600);
    assert_eq!(answer["scope"], "monitoring management control");
    assert_eq!(host.sign_in(&[("scope", "monitoring")]).await.json().unwrap()["scope"], "monitoring");

    let stranger = host.sign_in(&[("client_id", "somebody")]).await;
    let body = json!({"resultCode": "Client app not exist", "incidentId": "WEB_MGMT_SERVICE-00000000"});
    assert_eq!((stranger.status, stranger.json().unwrap()), (404, body));
    let wrong = host.sign_in(&[("client_secret", "guess")]).await;
    assert_eq!((wrong.status, wrong.json().unwrap()["error"].as_str()), (401, Some("invalid_client")));
    for changes in [[("grant_type", "password")], [("scope", "everything")]] {
        assert_eq!(host.sign_in(&changes).await.status, 400);
    }
    let as_json = host.http.send(&Call::post("/ws/oauth/token").json(json!({}))).await.unwrap();
    assert_eq!(as_json.status, 415);
    // A token of one host means nothing to another.
    let call = Call::get("/v2/organizations").bearer(island.token.clone());
    assert_eq!(host.http.send(&call).await.unwrap().status, 401);
}

#[tokio::test]
async fn the_gateway_answers_in_its_own_shape() {
    let host = host(1, 1).await;
    let get = || Call::get("/v2/organizations");
    let cases = [
        (get(), 400, "missing_header", 2),
        (get().header("authorization", "Basic abc".into()), 400, "invalid_header", 1),
        (get().header("authorization", "Bearer".into()), 400, "invalid_header", 1),
        (get().bearer("nonsense".into()), 401, "not_authenticated", 10),
    ];
    for (call, status, error, code) in cases {
        let answer = host.http.send(&call).await.unwrap();
        let body = answer.json().unwrap();
        assert_eq!(
            (answer.status, &body["error"], &body["error_code"]),
            (status, &json!(error), &json!(code))
        );
        assert!(answer.request_id.is_some());
    }
    assert_eq!(host.get("/v2/organizations", &[]).await.status, 200);
    host.control("/clock/advance", json!({"seconds": 3_600})).await;
    assert_eq!(host.get("/v2/organizations", &[]).await.status, 401);
}

#[tokio::test]
async fn the_edge_answers_with_a_page() {
    let host = host(1, 1).await;
    for call in
        [Call::post("/oauth/token"), Call::get("/v2/nothing"), Call::get("/v3/organizations"), Call::get("/")]
    {
        let outcome = host.http.send(&call).await;
        assert!(matches!(outcome, Err(VendorError::NotJson { status: 404, .. })), "{outcome:?}");
    }
    assert_eq!(host.post("/v2/organizations", json!({})).await.status, 405);
}

#[tokio::test]
async fn scopes_and_standing_are_checked() {
    let mut reader = ClientApp::new("reader");
    reader.scopes = vec![Scope::Monitoring];
    let mut technician = ClientApp::new("technician");
    technician.standing = Standing::Technician;
    let hook = json!({"url": "http://127.0.0.1:1/", "activities": {}});
    for (client, device_status, hook_status) in [(reader, 403, 403), (technician, 200, 403)] {
        let host = host_with(sandbox::SandboxConfig { clients: vec![client], ..config(1, 1) }).await;
        let device = host.rows("/v2/devices", &[]).await[0]["id"].as_i64().unwrap();
        let run =
            host.post(&format!("/v2/device/{device}/script/run"), json!({"type": "SCRIPT", "id": 103})).await;
        assert_eq!(run.status, device_status);
        assert_eq!(host.send(Call::put("/v2/webhook").json(hook.clone())).await.unwrap().status, hook_status);
    }
}

#[tokio::test]
async fn what_the_contract_does_not_name_is_refused_in_the_vendors_shape() {
    let host = host(1, 12).await;
    let device = host.rows("/v2/devices", &[]).await[0]["id"].as_i64().unwrap();
    let run = format!("/v2/device/{device}/script/run");
    let hook = |body: Value| Call::put("/v2/webhook").json(body);
    let ticket = |body: Value| Call::post("/v2/ticketing/ticket").json(body);
    let refused = [
        Call::get("/v2/devices").query("page", 2),
        Call::get("/v2/devices").query("pageSize", 0),
        Call::get("/v2/devices").query("pageSize", "many"),
        Call::get("/v2/devices").query("after", 1).query("after", 2),
        Call::get("/v2/devices").query("df", "owner = 1"),
        Call::get("/v2/alerts").query("pageSize", 10),
        Call::get("/v2/activities").query("pageSize", 9),
        Call::get("/v2/activities").query("seriesUid", "x"),
        Call::get("/v2/activities").query("activityType", "CONDITION"),
        Call::get("/v2/queries/volumes").query("cursor", "unknown"),
        Call::post(&run).json(json!({"type": "SCRIPT", "scriptId": 101})),
        Call::post(&run).json(json!({"type": "SCRIPT", "id": "101"})),
        Call::post(&run).json(json!({"type": "POWERSHELL", "id": 101})),
        Call::post(&run).json(json!({"type": "SCRIPT", "id": 999})),
        Call::post(&run).json(json!({"type": "SCRIPT", "id": 101, "runAs": "root"})),
        Call::post(&run).json(json!({"type": "SCRIPT", "id": 101, "parameters": {"a": 1}})),
        hook(json!({"url": "ftp://x", "activities": {}})),
        hook(json!({"url": "http://x", "activities": {}, "secret": "s"})),
        hook(json!({"url": "http://x", "activities": ["CONDITION"]})),
        ticket(json!({"clientId": 1, "ticketFormId": 1, "subject": "x"})),
        ticket(json!({"clientId": 77, "ticketFormId": 1, "subject": "x", "status": "1000"})),
        ticket(json!({"clientId": 1, "ticketFormId": 1, "subject": "x", "status": "9"})),
        ticket(json!({"clientId": 1, "ticketFormId": 1, "subject": "x".repeat(201), "status": "1000"})),
    ];
    for call in refused {
        let text = format!("{call:?}");
        let (status, body) = error_of(&host, call).await;
        assert_eq!(status, 400, "{text}");
        assert!(body["incidentId"].is_string() && body["resultCode"].is_string(), "{text} {body}");
    }
    assert_eq!(host.state().await["script_runs"], json!([]));
}

#[tokio::test]
async fn a_ticket_changes_only_from_its_last_version() {
    let host = host(2, 12).await;
    let new = json!({"clientId": 1, "ticketFormId": 1, "subject": "Disk full", "status": "1000",
        "description": {"public": true, "body": "since today"}, "severity": "MAJOR"});
    let ticket = host.post("/v2/ticketing/ticket", new).await.json().unwrap();
    assert_eq!((&ticket["version"], &ticket["status"]["statusId"]), (&json!(1), &json!(1000)));
    let path = format!("/v2/ticketing/ticket/{}", ticket["id"]);
    let change = |version: i64| {
        Call::put(&path)
            .json(json!({"version": version, "clientId": 1, "ticketFormId": 1, "subject": "Disk full",
            "status": "5000", "requesterUid": ticket["requesterUid"]}))
    };
    let (status, body) = error_of(&host, change(7)).await;
    assert_eq!((status, &body["errorMessage"]["code"]), (409, &json!("ticket_version_conflict")));
    let (status, body) = error_of(&host, change(1)).await;
    assert_eq!(
        (status, &body["version"], &body["status"]["displayName"]),
        (200, &json!(2), &json!("Resolved"))
    );
    assert_eq!(error_of(&host, change(1)).await.0, 409);
}

#[tokio::test]
async fn the_control_plane_needs_its_token() {
    let host = host(1, 1).await;
    for call in
        [Call::get("/_sandbox/state"), Call::get("/_sandbox/state").header("x-sandbox-control", "x".into())]
    {
        assert_eq!(host.http.send(&call).await.unwrap().status, 401);
    }
    assert_eq!(
        host.send(Call::post("/_sandbox/trigger").json(json!({"kind": "disk_full"}))).await.unwrap().status,
        401
    );
    assert_eq!(host.state().await["alerts"], json!([]));
}
