//! Credentials that do not work are said once, wherever they are used, until they work again.
use std::sync::Arc;

use app::{
    sync::{NoSink, Syncer},
    vendors::{Credentials, NinjaOneCredentials, SealedVendors, Vendors as _, VendorsError},
};
use connector_api::RetryPolicy;
use kernel::{
    Clock,
    id::CredentialId,
    secret::{ExposeSecret as _, SecretString},
};
use pg::WorkReason;
use store::{
    integrations,
    sync::{SyncKind::Full, SyncState},
};
use vault::{MasterKey, Vault};

use crate::world::World;

struct Sealed {
    world: World,
    vault: Vault,
    credential: CredentialId,
}

impl Sealed {
    async fn with(secret: &str) -> Self {
        let world = World::mapped(1, 10).await;
        world.db.staff("owner").await;
        world.db.staff("technician").await;
        let vault = Vault::new(world.db.pg.clone(), MasterKey::generate().expect("a key"), Clock::system());
        let credential =
            vault.put_credential("ninjaone", &sealed_form(&world, secret)).await.expect("sealed");
        let sql = "update public.integrations set credential_id = $1";
        world.admin.execute(sql, &[&credential.0]).await.expect("a row");
        Self { world, vault, credential }
    }

    fn right(&self) -> String {
        self.world.vendor.sandbox.client_secret().expose_secret().to_owned()
    }

    /// As another process has them.
    fn vendors(&self) -> Arc<SealedVendors> {
        let vendors = SealedVendors::new(self.world.db.pg.clone(), self.vault.clone(), Clock::system());
        Arc::new(vendors.with_retry(RetryPolicy::fast()))
    }

    async fn sync(&self, vendors: &Arc<SealedVendors>) -> SyncState {
        self.world.queue(Full).await;
        let syncer =
            Syncer::new(self.world.db.pg.clone(), Clock::system(), vendors.clone(), Arc::new(NoSink));
        syncer.run_one().await.expect("a worked run").expect("a run").1
    }

    async fn told(&self, kind: &str) -> i64 {
        self.world.count(&format!("select count(*) from public.notifications where kind = '{kind}'")).await
    }

    async fn problem(&self) -> Option<String> {
        self.world
            .admin
            .query_one("select case when credentials_failed_at is not null then credentials_problem end from public.integrations", &[])
            .await
            .expect("the integration")
            .get(0)
    }
}

fn sealed_form(world: &World, secret: &str) -> SecretString {
    let client_id = world.vendor.sandbox.client_id().to_owned();
    let credentials = NinjaOneCredentials { client_id, client_secret: secret.to_owned(), people: None };
    Credentials::NinjaOne(credentials).to_secret().expect("the form")
}

#[tokio::test]
async fn a_vendor_that_refuses_them_is_told_of_once_by_whatever_uses_them() {
    let sealed = Sealed::with("wrong").await;
    let vendors = sealed.vendors();
    for _ in 0..2 {
        assert_eq!(sealed.sync(&vendors).await, SyncState::Failed);
    }
    // A change step, a ticket and a webhook's registration use the same client; another process has its own.
    for vendors in [vendors.clone(), sealed.vendors()] {
        vendors.ninjaone(sealed.world.integration).await.unwrap().device(1).await.expect_err("refused");
    }
    // Who may edit integrations is told, and nobody hears of the failed synchronizations on top.
    assert_eq!((sealed.told("credentials").await, sealed.told("sync").await), (1, 0));
    let problem = sealed.problem().await.unwrap();
    assert!(problem.starts_with("The vendor refuses them") && !problem.contains("wrong"), "{problem}");

    let right = sealed_form(&sealed.world, &sealed.right());
    sealed.vault.rotate_credential(sealed.credential, &right).await.unwrap();
    assert_eq!(sealed.sync(&vendors).await, SyncState::Complete);
    assert_eq!(sealed.problem().await, None);
    // Other credentials are news again.
    let wrong = sealed_form(&sealed.world, "other");
    sealed.vault.rotate_credential(sealed.credential, &wrong).await.unwrap();
    assert_eq!(sealed.sync(&vendors).await, SyncState::Failed);
    assert_eq!(sealed.told("credentials").await, 2);
}

#[tokio::test]
async fn credentials_that_cannot_be_opened_are_told_of_once() {
    let sealed = Sealed::with("any").await;
    let damage = "update vault.credentials set sealed = set_byte(sealed, 50, get_byte(sealed, 50) # 1)";
    sealed.world.db.arrange(damage).await;
    let vendors = sealed.vendors();
    for _ in 0..2 {
        assert_eq!(sealed.sync(&vendors).await, SyncState::Failed);
        let error = vendors.ninjaone(sealed.world.integration).await.expect_err("cannot be opened");
        assert!(matches!(error, VendorsError::Vault(_)), "{error}");
    }
    assert_eq!((sealed.told("credentials").await, sealed.told("sync").await), (1, 0));
    assert_eq!(sealed.problem().await.as_deref(), Some("the credentials could not be opened"));
    // Without any it is the same; switched off it is nobody's business.
    sealed
        .world
        .db
        .arrange("update public.integrations set credential_id = null, credentials_failed_at = null")
        .await;
    vendors.ninjaone(sealed.world.integration).await.expect_err("has none");
    assert_eq!(sealed.told("credentials").await, 2);
    sealed
        .world
        .db
        .arrange("update public.integrations set enabled = false, credentials_failed_at = null")
        .await;
    vendors.ninjaone(sealed.world.integration).await.expect_err("is off");
    assert_eq!(sealed.problem().await, None);
}

#[tokio::test]
async fn a_vendor_that_takes_some_calls_and_refuses_others_is_not_news_all_day() {
    let world = World::mapped(1, 10).await;
    let start = Clock::system().now();
    let cases = [
        ("refused", 0, Some(true)),
        ("refused", 1, None),
        ("works", 2, None),
        ("refused", 3, Some(false)),
        ("works", 4, None),
        ("refused otherwise", 5, Some(true)),
        ("works", 6, None),
        ("refused otherwise", 5 + 7 * 60, Some(true)),
    ];
    for (problem, after_min, is_news) in cases {
        let at = start + jiff::SignedDuration::from_mins(after_min);
        let tx = world.db.pg.work_for_provider(WorkReason::Sync).await.unwrap();
        if problem == "works" {
            integrations::credentials_work(&tx, world.integration).await.unwrap();
        } else {
            let failed = integrations::credentials_failed(&tx, world.integration, problem, at).await.unwrap();
            assert_eq!(failed.map(|failed| failed.is_news), is_news, "{problem} after {after_min} min");
        }
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn every_request_to_a_vendor_is_counted_once() {
    let sealed = Sealed::with("wrong").await;
    let right = sealed_form(&sealed.world, &sealed.right());
    sealed.vault.rotate_credential(sealed.credential, &right).await.unwrap();
    let vendors = sealed.vendors();
    let counted = async || {
        vendors.keep_counts().await.unwrap();
        let sql = "select coalesce(sum(calls), 0)::bigint, coalesce(sum(throttled), 0)::bigint from public.vendor_calls where class = 'api'";
        let row = sealed.world.admin.query_one(sql, &[]).await.unwrap();
        (row.get::<_, i64>(0), row.get::<_, i64>(1))
    };
    assert_eq!(sealed.sync(&vendors).await, SyncState::Complete);
    let (first, throttled) = counted().await;
    assert!(first > 5 && throttled == 0, "{first} calls, {throttled} throttled");
    assert_eq!(counted().await, (first, 0));

    let fault =
        serde_json::json!({"kind": "too_many_requests", "path_prefix": "/v2/devices-detailed", "times": 3});
    sealed.world.vendor.fault(fault).await;
    assert_eq!(sealed.sync(&vendors).await, SyncState::Complete);
    let (both, throttled) = counted().await;
    // The same reading again with the token of the first, and three attempts more.
    assert_eq!((both, throttled), (2 * first - 1 + 3, 3));
}
