//! SharePoint's habits: rights, redirects, addresses that end, lists of changes.
use std::collections::BTreeSet;

use connector_api::{Answer, Call};
use sandbox::CONTROL_HEADER;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{Host, host};

struct Scene {
    host: Host,
    tenant: String,
    token: SecretString,
}

async fn scene() -> Scene {
    let host = host(3, 40).await;
    let call = Call::get("/_sandbox/truth").header(CONTROL_HEADER, host.sandbox.control_token().clone());
    let truth = host.http.send(&call).await.unwrap().json().unwrap();
    let first = truth["tenants"].as_array().unwrap().iter().find(|row| row["organization_id"] == 1).unwrap();
    let tenant = first["tenant_id"].as_str().unwrap().to_owned();
    let access = host.sandbox.graph();
    let (id, secret) = (access.sharepoint_client_id.clone(), access.sharepoint_client_secret.clone());
    let token = token(&host, &tenant, &id, secret).await;
    Scene { host, tenant, token }
}

async fn token(host: &Host, tenant: &str, id: &str, secret: SecretString) -> SecretString {
    let form = vec![
        ("grant_type", "client_credentials".into()),
        ("client_id", id.into()),
        ("client_secret", secret),
        ("scope", "https://graph.microsoft.com/.default".into()),
    ];
    let call = Call::post(format!("/login/{tenant}/oauth2/v2.0/token")).form(form);
    host.http.send(&call).await.unwrap().json().unwrap()["access_token"].as_str().unwrap().into()
}

impl Scene {
    async fn get(&self, path: &str) -> Answer {
        let call = Call::get(format!("/graph{path}")).bearer(self.token.clone()).any_content();
        self.host.http.send(&call).await.unwrap()
    }

    async fn link(&self, link: &str) -> Answer {
        self.host.http.send(&Call::link(link).bearer(self.token.clone())).await.unwrap()
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let control = self.host.sandbox.control_token().clone();
        let call = Call::post(format!("/_sandbox{path}")).json(body).header(CONTROL_HEADER, control);
        let answer = self.host.http.send(&call).await.unwrap();
        assert!(answer.is_success(), "{}", String::from_utf8_lossy(&answer.body));
        answer.json().unwrap()
    }

    /// The library of IT, and what a first round shows of it.
    async fn library(&self) -> (String, Vec<Value>, String) {
        let sites = self.get("/v1.0/sites/getAllSites").await.json().unwrap();
        let all = sites["value"].as_array().unwrap();
        let site = all.iter().find(|site| site["displayName"] == "IT Documentation").unwrap();
        let id = site["id"].as_str().unwrap();
        assert_eq!(id.matches(',').count(), 2);
        let drives = self.get(&format!("/v1.0/sites/{id}/drives")).await.json().unwrap();
        let drive = drives["value"][0]["id"].as_str().unwrap().to_owned();
        let first = Call::get(format!("/graph/v1.0/drives/{drive}/root/delta")).query("$top", 5);
        let mut page = self.host.http.send(&first.bearer(self.token.clone())).await.unwrap().json().unwrap();
        let mut rows = page["value"].as_array().unwrap().clone();
        while let Some(next) = page["@odata.nextLink"].as_str() {
            page = self.link(next).await.json().unwrap();
            rows.extend(page["value"].as_array().unwrap().clone());
        }
        (drive, rows, page["@odata.deltaLink"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn each_application_has_its_own_rights() {
    let scene = scene().await;
    assert_eq!(scene.get("/v1.0/users").await.status, 403);
    assert_eq!(scene.get("/v1.0/sites/getAllSites").await.status, 200);
    let access = scene.host.sandbox.graph().clone();
    let other = token(&scene.host, &scene.tenant, &access.client_id, access.client_secret).await;
    let call = Call::get("/graph/v1.0/sites/getAllSites").bearer(other);
    assert_eq!(scene.host.http.send(&call).await.unwrap().status, 403);
}

#[tokio::test]
async fn a_file_is_at_an_address_that_takes_no_token_and_ends() {
    let scene = scene().await;
    let (drive, rows, _) = scene.library().await;
    let file = rows.iter().find(|row| row["name"] == "README.txt").unwrap();
    let path = format!("/v1.0/drives/{drive}/items/{}/content", file["id"].as_str().unwrap());
    let found = scene.get(&path).await;
    assert_eq!((found.status, found.body.len()), (302, 0));
    let address = found.location.unwrap();
    let plain = |address: &str| Call::link(address).any_content();
    let send = async |call: Call| scene.host.http.send(&call).await.unwrap();
    let whole = send(plain(&address)).await;
    assert_eq!((whole.status, whole.body.len() as u64), (200, file["size"].as_u64().unwrap()));
    assert_eq!(send(plain(&address).bearer(scene.token.clone())).await.status, 401);
    let piece = send(plain(&address).header("range", "bytes=3-9".into())).await;
    assert_eq!((piece.status, piece.body.as_slice()), (206, &whole.body[3..10]));
    assert_eq!(send(plain(&address).header("range", "bytes=99999-".into())).await.status, 416);
    let etag = file["eTag"].as_str().unwrap();
    let call = Call::get(format!("/graph{path}")).bearer(scene.token.clone());
    assert_eq!(send(call.header("if-none-match", etag.into())).await.status, 304);
    scene.control("/clock/advance", json!({"seconds": 301})).await;
    assert_eq!(send(plain(&address)).await.status, 401);
}

#[tokio::test]
async fn changes_lack_paths_come_twice_and_name_what_is_gone() {
    let scene = scene().await;
    let (_, rows, link) = scene.library().await;
    assert!(rows.iter().all(|row| row["parentReference"]["path"].is_null()));
    let ids: BTreeSet<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert!(ids.len() < rows.len(), "a row comes again at the border of a page");
    assert!(rows.iter().any(|row| row["package"].is_object()));
    let none = scene.link(&link).await.json().unwrap();
    assert_eq!(none["value"].as_array().unwrap().len(), 0);
    let order = |action: &str, path: &str| json!({"organization_id": 1, "action": action, "path": path, "text": "new", "to": "Books"});
    scene.control("/documents", order("edit", "/README.txt")).await;
    scene.control("/documents", order("rename", "/Runbooks")).await;
    scene.control("/documents", order("delete", "/Network")).await;
    let page = scene.link(&link).await.json().unwrap();
    let rows = page["value"].as_array().unwrap();
    let named = |name: &str| rows.iter().filter(|row| row["name"] == name).count();
    assert_eq!((named("README.txt"), named("Books")), (2, 2));
    assert_eq!(named("Backup restore.docx"), 0, "a folder does not repeat its children");
    let gone: BTreeSet<&str> =
        rows.iter().filter(|row| row["deleted"].is_object()).map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(gone.len(), 3);
    let wrong = scene.link(&link.replace("token=d", "token=e")).await;
    assert_eq!(wrong.status, 400);
    scene.control("/clock/advance", json!({"seconds": 40 * 86_400})).await;
}

#[tokio::test]
async fn a_forgotten_link_names_where_a_new_round_begins() {
    let scene = scene().await;
    let (_, _, link) = scene.library().await;
    let fault = json!({"vendor": "graph", "kind": "sync_state_lost", "path_prefix": "/v1.0/drives"});
    scene.control("/faults", fault).await;
    let lost = scene.link(&link).await;
    assert_eq!(
        (lost.status, lost.json().unwrap()["error"]["code"].clone()),
        (410, json!("resyncChangesApplyDifferences"))
    );
    let page = scene.link(&lost.location.unwrap()).await.json().unwrap();
    assert!(page["value"].as_array().unwrap().len() > 4 && page["@odata.nextLink"].is_string());
}
