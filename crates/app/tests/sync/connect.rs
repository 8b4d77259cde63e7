//! Connecting a vendor from the console: tried out first, kept sealed, only by whoever may, only at the vendor's addresses.
use std::sync::Arc;

use app::{
    connect::{self, New, SYNC_INTERVAL_S, Tried},
    vendors::{Credentials, NinjaOneCredentials, RevIoCredentials, SealedVendors},
};
use connector_api::RetryPolicy;
use kernel::{ApiError, Clock, ErrorCode, secret::ExposeSecret as _};
use pg::Actor;
use vault::{MasterKey, Vault};

use crate::world::World;

struct Scene {
    world: World,
    vendors: Arc<SealedVendors>,
    owner: Actor,
}

impl Scene {
    /// One integration points to the sandbox already, as the server's command line leaves it.
    async fn new() -> Self {
        let world = World::mapped(1, 10).await;
        let vault = Vault::new(world.db.pg.clone(), MasterKey::generate().expect("a key"), Clock::system());
        let vendors = SealedVendors::new(world.db.pg.clone(), vault, Clock::system());
        let owner = world.db.staff("owner").await;
        Self { vendors: Arc::new(vendors.with_retry(RetryPolicy::fast())), world, owner }
    }

    fn credentials(&self, secret: &str) -> Credentials {
        let client_id = self.world.vendor.sandbox.client_id().to_owned();
        Credentials::NinjaOne(NinjaOneCredentials {
            client_id,
            client_secret: secret.to_owned(),
            people: None,
        })
    }

    fn right(&self) -> Credentials {
        self.credentials(self.world.vendor.sandbox.client_secret().expose_secret())
    }

    fn here(&self) -> String {
        self.world.vendor.sandbox.base_url()
    }

    async fn connect(
        &self,
        actor: &Actor,
        base_url: String,
        credentials: Credentials,
    ) -> Result<Tried, ApiError> {
        let new = New { name: "Second".into(), base_url, credentials, sync_interval_s: SYNC_INTERVAL_S };
        connect::connect(&self.world.db.pg, &*self.vendors, actor, new, None, &Clock::system()).await
    }

    async fn kept(&self) -> (i64, i64) {
        let integrations = self.world.count("select count(*) from public.integrations").await;
        (integrations, self.world.count("select count(*) from vault.credentials").await)
    }
}

fn refused(outcome: Result<Tried, ApiError>) -> String {
    outcome.expect_err("refused").code
}

#[tokio::test]
async fn credentials_that_the_vendor_takes_are_sealed_and_say_what_they_may() {
    let scene = Scene::new().await;
    let before = scene.kept().await;
    let tried = scene.connect(&scene.owner, scene.here(), scene.credentials("wrong")).await.unwrap();
    assert!(tried.kept.is_none() && !tried.health.is_signed_in() && tried.health.checks.len() == 1);
    assert_eq!(scene.kept().await, before, "nothing is kept of what the vendor refuses");

    let tried = scene.connect(&scene.owner, scene.here(), scene.right()).await.unwrap();
    let id = tried.kept.expect("it is kept");
    assert!(tried.health.can_read(), "{:?}", tried.health.problems());
    assert_eq!(scene.kept().await, (before.0 + 1, before.1 + 1));
    let plain = scene.world.vendor.sandbox.client_secret().expose_secret();
    let sealed =
        format!("select count(*) from vault.credentials where position('{plain}'::bytea in sealed) > 0");
    assert_eq!(scene.world.count(&sealed).await, 0);

    let health =
        connect::check(&scene.world.db.pg, &*scene.vendors, &scene.owner, id).await.expect("it answers");
    assert!(health.can_read() && health.problems().is_empty());
    assert_eq!(
        refused(scene.connect(&scene.owner, scene.here(), scene.right()).await),
        ErrorCode::Conflict.as_str(),
        "a name is given once"
    );
}

#[tokio::test]
async fn a_form_never_points_the_product_into_its_own_network() {
    let scene = Scene::new().await;
    let before = scene.kept().await;
    for elsewhere in
        ["http://127.0.0.1:1", "https://169.254.169.254", "http://app.ninjarmm.com", "https://rev.io"]
    {
        let outcome = scene.connect(&scene.owner, elsewhere.into(), scene.right()).await;
        assert_eq!(refused(outcome), ErrorCode::ValueRefused.as_str(), "{elsewhere}");
    }
    assert_eq!(scene.kept().await, before);
}

#[tokio::test]
async fn only_who_may_connects() {
    let scene = Scene::new().await;
    let customer = scene.world.db.customer("contoso").await;
    for (actor, code) in [
        (scene.world.db.staff("technician").await, ErrorCode::NotPermitted.as_str()),
        (scene.world.db.staff("auditor").await, ErrorCode::NotPermitted.as_str()),
        (scene.world.db.portal(customer, "portal_admin").await, ErrorCode::NotFound.as_str()),
        (scene.world.db.anonymous(), ErrorCode::NotSignedIn.as_str()),
    ] {
        assert_eq!(refused(scene.connect(&actor, scene.here(), scene.right()).await), code);
        let id = scene.world.integration;
        let clock = Clock::system();
        let renewed = connect::renew(&scene.world.db.pg, &*scene.vendors, &actor, id, scene.right(), &clock);
        assert_eq!(refused(renewed.await), code);
    }
}

#[tokio::test]
async fn new_credentials_replace_the_old_ones_only_when_they_work() {
    let scene = Scene::new().await;
    let (pg, clock) = (&scene.world.db.pg, Clock::system());
    let id = scene.connect(&scene.owner, scene.here(), scene.right()).await.unwrap().kept.expect("kept");
    let renew = |credentials| connect::renew(pg, &*scene.vendors, &scene.owner, id, credentials, &clock);
    assert!(renew(scene.credentials("wrong")).await.unwrap().kept.is_none());
    let health = connect::check(pg, &*scene.vendors, &scene.owner, id).await.unwrap();
    assert!(health.is_signed_in(), "the old ones are still there");
    let other = Credentials::RevIo(RevIoCredentials {
        user: "u".into(),
        client_code: "c".into(),
        password: "p".into(),
        subscription_key: None,
    });
    assert_eq!(refused(renew(other).await), ErrorCode::ValueRefused.as_str());
    let before = scene.kept().await;
    assert_eq!(renew(scene.right()).await.unwrap().kept, Some(id));
    assert_eq!(scene.kept().await, before, "no second row");
}
