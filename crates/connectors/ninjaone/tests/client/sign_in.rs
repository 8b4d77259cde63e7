//! A person signs in, and what acts is theirs.
use std::sync::{Arc, Mutex};

use connector_api::{RetryPolicy, Told, VendorError};
use kernel::Clock;
use ninjaone::{
    Config, NinjaOne, RunAs, ScriptRun, SignIn, SignedIn,
    sign_in::{Kept, SCOPES},
};
use sandbox::{AppKind, ClientApp, SandboxConfig};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::support::{Scene, TIMEOUT_MS, scene, scene_with};

const BACK: &str = "http://127.0.0.1:8420/integrations/signed-in";

/// Keeps the refresh token as the product would, and hears what becomes of it.
#[derive(Debug, Default)]
struct Person {
    token: Mutex<String>,
    renewals: Mutex<u32>,
    ended: Mutex<Vec<String>>,
}

impl SignedIn for Person {
    fn refresh_token(&self) -> Kept<'_, SecretString> {
        let token = self.token.lock().unwrap().clone();
        Box::pin(async move { Ok(token.into()) })
    }

    fn renewed(&self, next: Option<SecretString>) -> Kept<'_, ()> {
        Box::pin(async move {
            *self.renewals.lock().unwrap() += 1;
            if let Some(next) = next {
                next.expose_secret().clone_into(&mut self.token.lock().unwrap());
            }
            Ok(())
        })
    }

    fn ended<'a>(&'a self, reason: &'a str) -> Told<'a> {
        Box::pin(async move { self.ended.lock().unwrap().push(reason.to_owned()) })
    }
}

fn app(scene: &Scene) -> &ClientApp {
    scene.sandbox.people().unwrap()
}

fn config(scene: &Scene, id: &str, secret: &SecretString) -> Config {
    Config::new(scene.sandbox.base_url(), id, secret.clone()).with_retry(RetryPolicy::fast())
}

fn page(scene: &Scene) -> SignIn {
    SignIn::new(&config(scene, &app(scene).id, &app(scene).secret), scene.clock.clone()).unwrap()
}

/// What the browser is sent back with, after the person answered.
async fn answered(url: &str, answer: &'static str) -> String {
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let shown = browser.get(url).send().await.unwrap();
    assert_eq!(shown.status(), 200, "{}", shown.text().await.unwrap());
    let sent = browser.post(url).form(&[("answer", answer)]).send().await.unwrap();
    sent.headers()["location"].to_str().unwrap().to_owned()
}

fn code_of(back: &str) -> SecretString {
    let after = back.split_once("code=").unwrap().1;
    after.split('&').next().unwrap().into()
}

/// The refresh token of somebody who allowed it.
async fn signed_in(scene: &Scene) -> SecretString {
    let (page, verifier) = (page(scene), SecretString::from("v".repeat(64)));
    let back = answered(&page.url(BACK, "the-state", &verifier).unwrap(), "allow").await;
    assert!(back.starts_with(&format!("{BACK}?code=")) && back.ends_with("&state=the-state"), "{back}");
    page.refresh_token(&code_of(&back), BACK, &verifier).await.unwrap()
}

fn acting(scene: &Scene, person: &Arc<Person>) -> NinjaOne {
    let (id, secret) = (app(scene).id.clone(), app(scene).secret.clone());
    scene.ninja.clone().acting_as(id, secret, person.clone())
}

fn harmless() -> ScriptRun {
    ScriptRun { script_id: 101, parameters: "key".to_owned(), run_as: RunAs::System }
}

#[tokio::test]
async fn scripts_are_run_as_whoever_signed_in() {
    let scene = scene(1, 5).await;
    scene.control("/settings", json!({"machine_tokens": "refuse"})).await;
    let device = scene.ill("disk_full").await;
    let refused = scene.ninja.run_script(device, &harmless()).await.unwrap_err();
    assert!(matches!(refused, VendorError::Forbidden { .. }), "{refused}");

    let person = Arc::new(Person::default());
    signed_in(&scene).await.expose_secret().clone_into(&mut person.token.lock().unwrap());
    // Two processes share what is kept: a refresh token is good once, and both stay signed in.
    let (one, two) = (acting(&scene, &person), acting(&scene, &person));
    for ninja in [&one, &two, &one] {
        ninja.run_script(device, &harmless()).await.unwrap();
    }
    assert_eq!((*person.renewals.lock().unwrap(), person.ended.lock().unwrap().len()), (2, 0));
    let health = one.health_check().await;
    assert!(health.is_ok(ninjaone::RUN_SCRIPTS), "{:?}", health.problems());
}

#[tokio::test]
async fn a_token_that_another_process_used_first_is_no_end() {
    let scene = scene(1, 5).await;
    let person = Arc::new(Person::default());
    signed_in(&scene).await.expose_secret().clone_into(&mut person.token.lock().unwrap());
    let used = person.token.lock().unwrap().clone();
    let device = scene.ill("disk_full").await;
    acting(&scene, &person).run_script(device, &harmless()).await.unwrap();
    // As seen by a process that read what was kept just before that.
    let late = Arc::new(Late { first: Mutex::new(Some(used)), person: person.clone() });
    let (id, secret) = (app(&scene).id.clone(), app(&scene).secret.clone());
    let late = scene.ninja.clone().acting_as(id, secret, late);
    late.run_script(device, &harmless()).await.unwrap();
    assert!(person.ended.lock().unwrap().is_empty());
}

#[derive(Debug)]
struct Late {
    first: Mutex<Option<String>>,
    person: Arc<Person>,
}

impl SignedIn for Late {
    fn refresh_token(&self) -> Kept<'_, SecretString> {
        match self.first.lock().unwrap().take() {
            Some(first) => Box::pin(async move { Ok(first.into()) }),
            None => self.person.refresh_token(),
        }
    }

    fn renewed(&self, next: Option<SecretString>) -> Kept<'_, ()> {
        self.person.renewed(next)
    }

    fn ended<'a>(&'a self, reason: &'a str) -> Told<'a> {
        self.person.ended(reason)
    }
}

#[tokio::test]
async fn a_sign_in_that_ended_says_so_and_leaves_reading_alone() {
    let scene = scene(1, 5).await;
    let device = scene.ill("disk_full").await;
    let person = Arc::new(Person { token: Mutex::new("gone".to_owned()), ..Person::default() });
    let ninja = acting(&scene, &person);
    let error = ninja.run_script(device, &harmless()).await.unwrap_err();
    assert!(
        matches!(&error, VendorError::Forbidden { reason } if reason.contains("sign in again") && !reason.contains("gone")),
        "{error}"
    );
    assert_eq!(person.ended.lock().unwrap().len(), 1);
    assert!(ninja.organizations().await.completeness.is_complete());
    assert!(!ninja.health_check().await.is_ok(ninjaone::RUN_SCRIPTS));
}

#[tokio::test]
async fn a_code_is_good_once_and_for_whoever_asked() {
    let scene = scene(1, 1).await;
    let (page, verifier) = (page(&scene), SecretString::from("v".repeat(64)));
    let url = page.url(BACK, "s", &verifier).unwrap();
    assert!(url.contains(&SCOPES.replace(' ', "+")) && !url.contains(verifier.expose_secret()), "{url}");
    assert!(answered(&url, "deny").await.contains("error=access_denied"));
    let refused = |outcome: Result<SecretString, VendorError>| {
        let error = outcome.unwrap_err();
        assert!(matches!(error, VendorError::Auth { .. }), "{error}");
    };
    let other = SecretString::from("w".repeat(64));
    let code = code_of(&answered(&url, "allow").await);
    refused(page.refresh_token(&code, BACK, &other).await);
    let code = code_of(&answered(&url, "allow").await);
    refused(page.refresh_token(&code, "http://127.0.0.1:1/elsewhere", &verifier).await);
    let code = code_of(&answered(&url, "allow").await);
    page.refresh_token(&code, BACK, &verifier).await.unwrap();
    refused(page.refresh_token(&code, BACK, &verifier).await);
}

#[tokio::test]
async fn each_kind_of_app_signs_in_its_own_way() {
    let web =
        ClientApp::of_kind("web", AppKind::Web { redirects: vec!["https://obera.example/back".into()] });
    let machine = ClientApp::new("machine");
    let secret = (web.secret.clone(), machine.secret.clone());
    let config_of = SandboxConfig { clients: vec![machine, web], ..SandboxConfig::tests(1, 1) };
    let scene = scene_with(config_of, TIMEOUT_MS).await;
    let status = async |id: &str, back: &str| {
        let page = SignIn::new(&config(&scene, id, &secret.0), Clock::system()).unwrap();
        let url = page.url(back, "s", &"v".repeat(64).into()).unwrap();
        reqwest::get(url).await.unwrap().status().as_u16()
    };
    assert_eq!(status("web", "https://obera.example/back").await, 200);
    // A trailing slash counts, and a machine's app has no such page.
    assert_eq!(status("web", "https://obera.example/back/").await, 400);
    assert_eq!(status("machine", "https://obera.example/back").await, 404);
    let as_machine = NinjaOne::new(config(&scene, "web", &secret.0), Clock::system()).unwrap();
    let error = as_machine.alerts().await.unwrap_err();
    assert!(matches!(error, VendorError::Auth { .. }), "{error}");
}
