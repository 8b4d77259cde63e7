//! Tenants and people: as the estate and the seed have them, and as the protocol of Graph shows them.
use std::collections::{BTreeMap, BTreeSet};

use connector_api::{Answer, Call};
use sandbox::{CONTROL_HEADER, SandboxConfig};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::support::{Host, config, host, host_with};

/// A sandbox and a token for one tenant.
struct Scene {
    host: Host,
    tenant: String,
    token: SecretString,
}

async fn truth(host: &Host) -> Value {
    let call = Call::get("/_sandbox/truth").header(CONTROL_HEADER, host.sandbox.control_token().clone());
    host.http.send(&call).await.unwrap().json().unwrap()
}

async fn sign_in(host: &Host, tenant: &str, changes: &[(&'static str, &str)]) -> Answer {
    let access = host.sandbox.graph();
    let mut form: Vec<(&'static str, SecretString)> = vec![
        ("grant_type", "client_credentials".into()),
        ("client_id", access.client_id.as_str().into()),
        ("client_secret", access.client_secret.clone()),
        ("scope", "https://graph.microsoft.com/.default".into()),
    ];
    form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    form.extend(changes.iter().map(|(name, value)| (*name, SecretString::from(*value))));
    host.http.send(&Call::post(format!("/login/{tenant}/oauth2/v2.0/token")).form(form)).await.unwrap()
}

async fn scene(customers: u32, devices: u32) -> Scene {
    let host = host(customers, devices).await;
    let told = truth(&host).await;
    let first = told["tenants"].as_array().unwrap().iter().find(|row| row["organization_id"] == 1).unwrap();
    let tenant = first["tenant_id"].as_str().unwrap().to_owned();
    let token = sign_in(&host, &tenant, &[]).await.json().unwrap()["access_token"].as_str().unwrap().into();
    Scene { host, tenant, token }
}

impl Scene {
    async fn get(&self, path: &str, query: &[(&'static str, &str)]) -> Answer {
        let call = query
            .iter()
            .fold(Call::get(format!("/graph{path}")), |call, (name, value)| call.query(name, value));
        self.host.http.send(&call.bearer(self.token.clone())).await.unwrap()
    }

    async fn refused(&self, path: &str, query: &[(&'static str, &str)]) -> (u16, String) {
        let answer = self.get(path, query).await;
        let code = answer.json().unwrap()["error"]["code"].as_str().unwrap_or_default().to_owned();
        (answer.status, code)
    }
}

#[tokio::test]
async fn every_estate_of_eight_has_its_odd_tenants_and_a_seed_keeps_them() {
    for (customers, devices, seed) in [(8, 80, 1), (25, 2_500, 1), (60, 600, 9)] {
        let make =
            || async { truth(&host_with(SandboxConfig { seed, ..config(customers, devices) }).await).await };
        let (one, two) = (make().await, make().await);
        assert_eq!((&one["tenants"], &one["mfa"]), (&two["tenants"], &two["mfa"]));
        let tenants: Vec<&Value> = one["tenants"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| !row["organization_id"].is_null())
            .collect();
        assert_eq!(tenants.len() as u32, customers - 1, "one organization has no tenant");
        assert_eq!(tenants.iter().filter(|row| row["consent"] == false).count(), 1);
        assert!(tenants.iter().any(|row| row["has_premium"] == false));
        let ids: BTreeSet<&str> = tenants.iter().map(|row| row["tenant_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), tenants.len());
        let profiles: BTreeSet<&str> = tenants.iter().map(|row| row["profile"].as_str().unwrap()).collect();
        assert_eq!(profiles.len(), if customers >= 20 { 14 } else { profiles.len() });
        let people: u64 = tenants.iter().map(|row| row["users"].as_u64().unwrap()).sum();
        if devices == 2_500 {
            assert!((2_300..3_300).contains(&people), "{people}");
        }
    }
}

#[tokio::test]
async fn the_truth_about_sign_ins_has_every_outcome_and_everybody_once() {
    let told = truth(&host(25, 2_500).await).await;
    let rows = told["mfa"].as_array().unwrap();
    let users: BTreeSet<(&str, &str)> = rows
        .iter()
        .map(|row| (row["tenant_id"].as_str().unwrap(), row["user_id"].as_str().unwrap()))
        .collect();
    assert_eq!(users.len(), rows.len());
    let names: BTreeSet<(&str, &str)> = rows
        .iter()
        .map(|row| (row["tenant_id"].as_str().unwrap(), row["user_principal_name"].as_str().unwrap()))
        .collect();
    assert_eq!(names.len(), rows.len(), "a name stands for one person");
    let mut reasons: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in rows {
        reasons.entry(row["outcome"].as_str().unwrap()).or_default().insert(row["reason"].as_str().unwrap());
    }
    assert_eq!(reasons["protected"], BTreeSet::from(["per_user", "policy", "security_defaults"]));
    assert_eq!(reasons["exempt"], BTreeSet::from(["sign_in_blocked", "trusted_location"]));
    assert_eq!(reasons["unknown"], BTreeSet::from(["missing_data"]));
    let gaps = [
        "excluded",
        "no_policy",
        "not_included",
        "not_registered",
        "other_grant",
        "report_only",
        "some_apps",
    ];
    assert_eq!(reasons["gap"], BTreeSet::from(gaps));
}

#[tokio::test]
async fn the_sign_in_answers_with_numbers() {
    let scene = scene(9, 60).await;
    let number = |answer: Answer| (answer.status, answer.json().unwrap()["error_codes"][0].as_i64());
    let ask = |changes: &'static [(&'static str, &'static str)]| sign_in(&scene.host, &scene.tenant, changes);
    assert_eq!(number(ask(&[("client_secret", "wrong")]).await), (401, Some(7_000_215)));
    assert_eq!(number(ask(&[("client_id", "wrong")]).await), (400, Some(700_016)));
    assert_eq!(number(ask(&[("grant_type", "password")]).await), (400, Some(70_003)));
    assert_eq!(
        number(ask(&[("scope", "https://graph.microsoft.com/User.Read")]).await),
        (400, Some(1_002_012))
    );
    assert_eq!(number(sign_in(&scene.host, "common", &[]).await), (400, Some(90_002)));
    let told = truth(&scene.host).await;
    let closed = told["tenants"].as_array().unwrap().iter().find(|row| row["consent"] == false).unwrap();
    let id = closed["tenant_id"].as_str().unwrap();
    assert_eq!(number(sign_in(&scene.host, id, &[]).await), (400, Some(700_016)));
    // A domain stands for its tenant, in a sign-in and for anybody who asks.
    assert_eq!(sign_in(&scene.host, "acmedental.example", &[]).await.status, 200);
    let path = "/login/acmedental.example/v2.0/.well-known/openid-configuration";
    let known = scene.host.http.send(&Call::get(path)).await.unwrap().json().unwrap();
    assert!(known["issuer"].as_str().unwrap().contains(&scene.tenant), "{known}");
    assert!(!scene.host.sandbox.graph().client_secret.expose_secret().is_empty());
}

#[tokio::test]
async fn lists_keep_to_the_protocol() {
    let scene = scene(3, 400).await;
    let page = scene.get("/v1.0/users", &[]).await.json().unwrap();
    assert_eq!(page["value"].as_array().unwrap().len(), 100);
    assert_eq!(page["value"][0].as_object().unwrap().len(), 11);
    let counted = scene.get("/v1.0/users", &[("$count", "true")]).await;
    assert_eq!(counted.status, 400);
    // A link is followed as it is; one that was changed is refused.
    let next = page["@odata.nextLink"].as_str().unwrap();
    let follow = async |link: String| {
        scene.host.http.send(&Call::link(link).bearer(scene.token.clone())).await.unwrap()
    };
    assert_eq!(follow(next.to_owned()).await.status, 200);
    assert_eq!(follow(next.replace("$skiptoken=1", "$skiptoken=2")).await.status, 400);
    assert_eq!(follow(format!("{next}&$top=5")).await.status, 400);
    let bad = |code: &str| (400, code.to_owned());
    let refused = scene.refused("/v1.0/users", &[("$select", "id,shoeSize")]).await;
    assert_eq!(refused, bad("Request_BadRequest"));
    assert_eq!(scene.refused("/v1.0/users", &[("$select", "birthday")]).await.0, 501);
    assert_eq!(scene.refused("/v1.0/users", &[("$top", "1000")]).await.0, 400);
    assert_eq!(scene.refused("/v1.0/users", &[("$skip", "5")]).await.0, 400);
    assert_eq!(scene.refused("/v1.0/subscribedSkus", &[("$top", "5")]).await.0, 400);
    assert_eq!(scene.refused("/v1.0/users/delta", &[("$top", "5")]).await.0, 400);
    assert_eq!(scene.refused("/v1.0/nothing", &[]).await, bad("Request_BadRequest"));
    let nobody = scene.refused("/v1.0/users/nobody@acmedental.example", &[]).await;
    assert_eq!(nobody, (404, "Request_ResourceNotFound".to_owned()));
    // Beta has what v1.0 has not.
    let id = page["value"][5]["id"].as_str().unwrap();
    assert_eq!(scene.refused(&format!("/v1.0/users/{id}/authentication/requirements"), &[]).await.0, 400);
    let beta = scene.get(&format!("/beta/users/{id}/authentication/requirements"), &[]).await;
    assert_eq!(beta.json().unwrap()["perUserMfaState"], "disabled");
    let nobody = scene.host.http.send(&Call::get("/graph/v1.0/users").bearer("wrong".into())).await.unwrap();
    assert_eq!(
        (nobody.status, nobody.json().unwrap()["error"]["code"].as_str()),
        (401, Some("InvalidAuthenticationToken"))
    );
}

#[tokio::test]
async fn a_batch_answers_each_call_for_itself_and_in_another_order() {
    let scene = scene(2, 60).await;
    let send = async |body: Value| {
        let call = Call::post("/graph/v1.0/$batch").json(body).bearer(scene.token.clone());
        scene.host.http.send(&call).await.unwrap()
    };
    let call = |id: &str, url: &str| json!({"id": id, "method": "GET", "url": url});
    let requests = json!([
        call("a", "/users?$top=2&$select=id"),
        call("b", "/nothing"),
        call("c", "/users/nobody"),
        {"id": "d", "method": "DELETE", "url": "/users/x"},
    ]);
    let answer = send(json!({"requests": requests})).await.json().unwrap();
    let of = |row: &Value| (row["id"].as_str().unwrap().to_owned(), row["status"].as_u64().unwrap());
    let got: Vec<(String, u64)> = answer["responses"].as_array().unwrap().iter().map(of).collect();
    let wanted = [("d", 405), ("c", 404), ("b", 400), ("a", 200)].map(|(id, status)| (id.to_owned(), status));
    assert_eq!(got, wanted);
    let many: Vec<Value> = (0..21).map(|id| call(&id.to_string(), "/users")).collect();
    assert_eq!(send(json!({"requests": many})).await.status, 400);
    assert_eq!(send(json!({"requests": [call("a", "/users"), call("A", "/users")]})).await.status, 400);
}

#[tokio::test]
async fn people_come_and_go_by_order_and_with_the_months() {
    let scene = scene(9, 200).await;
    let people = async |host: &Host| host.state().await["graph"]["people"].as_u64().unwrap();
    let before = people(&scene.host).await;
    let order = |action: &str, count: u32| json!({"organization_id": 1, "action": action, "count": count});
    scene.host.control("/people", order("join", 3)).await;
    assert_eq!(people(&scene.host).await, before + 3);
    let left = scene.host.control("/people", order("leave", 2)).await;
    assert_eq!(people(&scene.host).await, before + 1);
    let gone = left["people"][0]["user_id"].as_str().unwrap();
    assert_eq!(scene.refused(&format!("/v1.0/users/{gone}"), &[]).await.0, 404);
    let sku = "c5928f49-12ba-48f7-ada3-0d743a3601d5";
    let consumed = async || {
        let skus = scene.get("/v1.0/subscribedSkus", &[]).await.json().unwrap();
        let rows = skus["value"].as_array().unwrap().iter();
        rows.filter(|row| row["skuId"] == sku).map(|row| row["consumedUnits"].as_u64().unwrap()).sum::<u64>()
    };
    let held = consumed().await;
    scene
        .host
        .control("/people", json!({"organization_id": 1, "action": "assign", "sku_id": sku, "count": 4}))
        .await;
    assert_eq!(consumed().await, held + 4);
    scene
        .host
        .control("/people", json!({"organization_id": 1, "action": "unassign", "sku_id": sku, "count": 1}))
        .await;
    assert_eq!(consumed().await, held + 3);
    let asleep = scene.host.control("/people", order("disable", 1)).await["people"][0]["user_id"].clone();
    let told = truth(&scene.host).await;
    let row = told["mfa"].as_array().unwrap().iter().find(|row| row["user_id"] == asleep).unwrap();
    assert_eq!((row["outcome"].as_str(), row["reason"].as_str()), (Some("exempt"), Some("sign_in_blocked")));
    let quiet = people(&scene.host).await;
    scene.host.control("/clock/advance", json!({"seconds": 200 * 86_400})).await;
    assert!(people(&scene.host).await > quiet, "in half a year somebody joins somewhere");
}

#[tokio::test]
async fn a_huge_tenant_is_made_as_it_is_read() {
    let config = SandboxConfig { people_per_tenant: Some(50_000), ..config(3, 10) };
    let host = host_with(config).await;
    let state = host.state().await;
    assert!(state["graph"]["people"].as_u64().unwrap() > 150_000);
}

#[tokio::test]
async fn machines_are_planned_once_and_every_oddity_is_there() {
    let scene = scene(6, 240).await;
    let told = truth(&scene.host).await;
    let rows = told["endpoints"].as_array().unwrap();
    let ids = |row: &Value, name: &str| {
        row[name].as_array().unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let ninja: Vec<String> = rows.iter().flat_map(|row| ids(row, "ninja_device_ids")).collect();
    let enrolled: Vec<String> = rows.iter().flat_map(|row| ids(row, "intune_ids")).collect();
    for all in [&ninja, &enrolled] {
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "each record is of one row");
    }
    let kinds: BTreeSet<&str> = rows.iter().map(|row| row["how"].as_str().unwrap()).collect();
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["alone", "conflict", "name", "reimaged", "renamed", "same_name", "serial"]
    );
    // The first tenant shows what it planned, and its oddities are those of the plan.
    let list = scene.get("/v1.0/deviceManagement/managedDevices", &[("$top", "7")]).await.json().unwrap();
    assert!(list["value"].as_array().unwrap().len() == 7 && list["@odata.nextLink"].is_string());
    let all = scene.get("/v1.0/deviceManagement/managedDevices", &[]).await.json().unwrap();
    let devices = all["value"].as_array().unwrap();
    let of = |how: &str| {
        let row = rows.iter().find(|row| row["how"] == how && row["organization_id"] == 1).unwrap();
        devices.iter().filter(|it| ids(row, "intune_ids").contains(&it["id"].to_string())).collect::<Vec<_>>()
    };
    let twice = of("reimaged");
    assert!(twice.len() == 2 && twice[0]["serialNumber"] == twice[1]["serialNumber"]);
    assert_eq!(of("conflict").len(), 1);
    let never = |it: &&Value| it["lastSyncDateTime"] == "0001-01-01T00:00:00Z";
    assert!(devices.iter().any(|it| never(&it)) && devices.iter().any(|it| it["serialNumber"] == ""));
    let id = devices[0]["id"].as_str().unwrap();
    let one = scene
        .get(&format!("/v1.0/deviceManagement/managedDevices/{id}"), &[("$select", "id,deviceName")])
        .await;
    assert_eq!(one.json().unwrap().as_object().unwrap().len(), 2);
    assert_eq!(scene.refused("/v1.0/deviceManagement/managedDevices/gone", &[]).await.0, 404);
}
