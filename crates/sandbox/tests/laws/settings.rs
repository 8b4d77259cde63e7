//! Settings of tenants: the same for a seed, mostly in order, and kept from whoever has no token for the deployment.
use std::collections::BTreeMap;

use connector_api::Call;
use sandbox::{CONTROL_HEADER, SandboxConfig};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{Host, config, host, host_with};

async fn settings(host: &Host) -> Vec<Value> {
    let call = Call::get("/_sandbox/truth").header(CONTROL_HEADER, host.sandbox.control_token().clone());
    let told = host.http.send(&call).await.unwrap().json().unwrap();
    told["settings"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_seed_keeps_its_settings_and_most_are_in_order() {
    let make =
        |seed| async move { settings(&host_with(SandboxConfig { seed, ..config(60, 60) }).await).await };
    let one = make(3).await;
    assert_eq!(one, make(3).await);
    assert_ne!(one, make(4).await);
    let mut values: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    for row in &one {
        *values
            .entry(row["setting"].as_str().unwrap())
            .or_default()
            .entry(row["value"].to_string())
            .or_default() += 1;
    }
    assert!(values.len() >= 24);
    for (setting, values) in values {
        let (all, most) = (values.values().sum::<usize>(), *values.values().max().unwrap());
        assert!((60..96).contains(&(100 * most / all)), "{setting}: {most} of {all}");
    }
}

#[tokio::test]
async fn only_a_token_of_its_own_audience_opens_the_deployment() {
    let host = host(6, 30).await;
    let (graph, cipp) = (host.sandbox.graph().clone(), host.sandbox.cipp().clone());
    let token = |id: String, secret: SecretString, scope: String| {
        let (host, form) = (
            &host,
            vec![
                ("grant_type", SecretString::from("client_credentials")),
                ("client_id", id.into()),
                ("client_secret", secret),
                ("scope", scope.into()),
            ],
        );
        let call = Call::post(format!("/login/{}/oauth2/v2.0/token", graph.home_tenant_id)).form(form);
        async move { host.http.send(&call).await.unwrap() }
    };
    let of_graph = "https://graph.microsoft.com/.default".to_owned();
    let own = token(
        cipp.client_id.clone(),
        cipp.client_secret.clone(),
        format!("api://{}/.default", cipp.client_id),
    )
    .await;
    let other = token(graph.client_id.clone(), graph.client_secret.clone(), of_graph).await;
    let ask = |token: Value, path: &'static str| {
        let bearer: SecretString = token["access_token"].as_str().unwrap().into();
        let host = &host;
        async move { host.http.send(&Call::get(path).bearer(bearer)).await.unwrap() }
    };
    let refused = ask(other.json().unwrap(), "/cipp/api/ListTenants").await;
    assert_eq!((refused.status, refused.body.len()), (401, 0));
    // End points in any case; one that does not exist answers with plain text.
    let own = own.json().unwrap();
    assert_eq!(ask(own.clone(), "/cipp/api/listTENANTS").await.status, 200);
    let nothing = ask(own.clone(), "/cipp/api/ListNothing").await;
    assert_eq!((nothing.status, nothing.body.as_slice()), (404, b"Endpoint not found".as_slice()));
    host.control("/settings", json!({"cipp_role": "readonly"})).await;
    let denied = ask(own, "/cipp/api/ExecStandardsRun").await;
    assert!(denied.status == 403 && denied.content_type.starts_with("text/plain"));
    assert_eq!(host.http.send(&Call::get("/cipp/api/PublicPing")).await.unwrap().status, 200);
}
