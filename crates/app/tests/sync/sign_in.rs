//! A person signs in at NinjaOne from the console: once, in time, only as who began; what keeps them signed in stays sealed.
use std::sync::Arc;

use app::{
    sign_in,
    vendors::{Credentials, NinjaOneCredentials, PeopleApp, SealedVendors, Vendors as _},
};
use connector_api::RetryPolicy;
use kernel::{
    Clock, ErrorCode,
    secret::{ExposeSecret as _, SecretString},
};
use ninjaone::{RunAs, ScriptRun};
use pg::Actor;
use serde_json::json;
use vault::{MasterKey, Vault};

use crate::world::World;

const CONSOLE: &str = "http://127.0.0.1:8420";

struct Scene {
    world: World,
    vault: Vault,
    vendors: Arc<SealedVendors>,
    clock: Clock,
    owner: Actor,
}

impl Scene {
    async fn new() -> Self {
        let world = World::mapped(1, 10).await;
        let clock = Clock::mock("2026-03-01T12:00:00Z".parse().expect("a time"));
        let vault = Vault::new(world.db.pg.clone(), MasterKey::generate().expect("a key"), clock.clone());
        let sandbox = &world.vendor.sandbox;
        let people = sandbox.people().expect("an app for people");
        let (client_id, secret) = (sandbox.client_id().to_owned(), sandbox.client_secret());
        let people = PeopleApp {
            client_id: people.id.clone(),
            client_secret: people.secret.expose_secret().to_owned(),
        };
        let client_secret = secret.expose_secret().to_owned();
        let form =
            Credentials::NinjaOne(NinjaOneCredentials { client_id, client_secret, people: Some(people) });
        let sealed = form.to_secret().expect("the form");
        let credential = vault.put_credential("ninjaone", &sealed).await.expect("sealed");
        let sql = "update public.integrations set credential_id = $1";
        world.admin.execute(sql, &[&credential.0]).await.expect("a row");
        world.vendor.control("/settings", json!({"machine_tokens": "refuse"})).await;
        let owner = world.db.staff("owner").await;
        let vendors = SealedVendors::new(world.db.pg.clone(), vault.clone(), clock.clone());
        Self { vendors: Arc::new(vendors.with_retry(RetryPolicy::fast())), world, vault, clock, owner }
    }

    /// Goes to the vendor's page and allows it: the state and the code that come back.
    async fn allowed(&self) -> (SecretString, SecretString) {
        let (pg, at) = (&self.world.db.pg, self.world.integration);
        let begun =
            sign_in::begin(pg, &*self.vendors, &self.owner, at, CONSOLE, &self.clock).await.expect("begun");
        let browser = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a browser");
        let sent = browser.post(&begun.url).form(&[("answer", "allow")]).send().await.expect("an answer");
        let back = sent.headers()["location"].to_str().expect("a place").to_owned();
        let query =
            back.strip_prefix(&format!("{CONSOLE}/integrations/signed-in?")).expect("the console's page");
        let part =
            |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)).expect("a part").into();
        (part("state="), part("code="))
    }

    async fn finish(&self, actor: &Actor, back: &(SecretString, SecretString)) -> Result<(), String> {
        let pg = &self.world.db.pg;
        let outcome =
            sign_in::finish(pg, &*self.vendors, actor, (&back.0, &back.1), CONSOLE, &self.clock).await;
        outcome.map(drop).map_err(|error| error.code)
    }

    async fn may_run_scripts(&self) -> bool {
        let ninja = self.vendors.ninjaone(self.world.integration).await.expect("a client");
        let device = self.world.vendor.control("/trigger", json!({"kind": "disk_full"})).await["device_id"]
            .as_i64()
            .expect("a device");
        let run = ScriptRun { script_id: 101, parameters: "key".into(), run_as: RunAs::System };
        ninja.run_script(device, &run).await.is_ok()
    }

    async fn count(&self, sql: &str) -> i64 {
        self.world.count(sql).await
    }
}

fn refused(code: ErrorCode) -> Result<(), String> {
    Err(code.as_str().into())
}

#[tokio::test]
async fn whoever_signed_in_is_who_acts_until_it_is_ended() {
    let scene = Scene::new().await;
    assert!(!scene.may_run_scripts().await);
    let back = scene.allowed().await;
    scene.finish(&scene.owner, &back).await.expect("signed in");
    assert!(scene.may_run_scripts().await);
    // Sealed, and nowhere in the clear.
    let state = scene
        .count(&format!(
            "select count(*) from public.integration_sign_ins s where s::text like '%{}%'",
            back.0.expose_secret()
        ))
        .await;
    let shown = scene.count("select count(*) from public.acting_sign_ins where failed_at is null").await;
    assert_eq!((state, shown), (0, 1));

    // New credentials of the machine leave the people's app, and the sign-in, as they are.
    let sandbox = &scene.world.vendor.sandbox;
    let (client_id, secret) =
        (sandbox.client_id().to_owned(), sandbox.client_secret().expose_secret().to_owned());
    let new = Credentials::NinjaOne(NinjaOneCredentials { client_id, client_secret: secret, people: None });
    let pg = &scene.world.db.pg;
    app::connect::renew(pg, &*scene.vendors, &scene.owner, scene.world.integration, new, &scene.clock)
        .await
        .expect("renewed");
    assert!(scene.may_run_scripts().await);

    sign_in::end(pg, &*scene.vendors, &scene.owner, scene.world.integration, &scene.clock)
        .await
        .expect("ended");
    assert!(!scene.may_run_scripts().await);
    let credential = scene
        .world
        .admin
        .query_one("select credential_id from public.integration_sign_ins", &[])
        .await
        .expect("a row")
        .get(0);
    let left = scene.vault.open_credential(kernel::id::CredentialId(credential)).await.expect("sealed");
    assert_eq!(left.expose_secret(), "over");
}

#[tokio::test]
async fn what_came_back_is_good_once_in_time_and_for_who_began() {
    let scene = Scene::new().await;
    let other = scene.world.db.staff("owner").await;
    let technician = scene.world.db.staff("technician").await;
    let back = scene.allowed().await;
    assert_eq!(scene.finish(&other, &back).await, refused(ErrorCode::NotFound));
    assert_eq!(scene.finish(&technician, &back).await, refused(ErrorCode::NotPermitted));
    scene.finish(&scene.owner, &back).await.expect("signed in");
    assert_eq!(scene.finish(&scene.owner, &back).await, refused(ErrorCode::NotFound));

    // A second one replaces the first only when it is finished; one that was begun twice is good for the second time only.
    let (early, late) = (scene.allowed().await, scene.allowed().await);
    assert_eq!(scene.finish(&scene.owner, &early).await, refused(ErrorCode::NotFound));
    assert!(scene.may_run_scripts().await);
    scene.finish(&scene.owner, &late).await.expect("signed in again");
    assert_eq!(scene.count("select count(*) from public.acting_sign_ins").await, 1);

    let back = scene.allowed().await;
    scene.clock.advance(jiff::SignedDuration::from_mins(11));
    assert_eq!(scene.finish(&scene.owner, &back).await, refused(ErrorCode::NotFound));
    // A code of nobody's: it says so, and the sign-in that is used stays.
    let (state, _) = scene.allowed().await;
    assert_eq!(
        scene.finish(&scene.owner, &(state, "guessed".into())).await,
        refused(ErrorCode::VendorNotConfigured)
    );
    assert!(scene.may_run_scripts().await);
}

#[tokio::test]
async fn a_sign_in_that_the_vendor_ended_is_told_of_once() {
    let scene = Scene::new().await;
    let back = scene.allowed().await;
    scene.finish(&scene.owner, &back).await.expect("signed in");
    let credential: uuid::Uuid = scene.world.admin.query_one("select credential_id from public.acting_sign_ins a join public.integration_sign_ins s using (id)", &[]).await.expect("a row").get(0);
    let lost = SecretString::from("lost");
    scene.vault.rotate_credential(kernel::id::CredentialId(credential), &lost).await.expect("sealed");
    for _ in 0..2 {
        // As another process finds it.
        let vendors = SealedVendors::new(scene.world.db.pg.clone(), scene.vault.clone(), scene.clock.clone());
        let ninja = vendors.ninjaone(scene.world.integration).await.expect("a client");
        let run = ScriptRun { script_id: 101, parameters: "key".into(), run_as: RunAs::System };
        let error = ninja.run_script(1, &run).await.expect_err("ended");
        assert!(error.to_string().contains("sign in again"), "{error}");
        assert!(ninja.organizations().await.completeness.is_complete());
    }
    assert_eq!(scene.count("select count(*) from public.notifications where kind = 'credentials'").await, 1);
    assert_eq!(scene.count("select count(*) from public.acting_sign_ins where failed_at is not null and problem is not null").await, 1);
    let credentials =
        scene.count("select count(*) from public.integrations where credentials_failed_at is not null").await;
    assert_eq!(credentials, 0, "reading goes on");
    // Signing in again mends it.
    let back = scene.allowed().await;
    scene.finish(&scene.owner, &back).await.expect("signed in again");
    assert!(scene.may_run_scripts().await);
    assert_eq!(scene.count("select count(*) from public.acting_sign_ins where failed_at is null").await, 1);
}
