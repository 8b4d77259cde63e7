//! A vendor's quota of a day: over restarts, with a part that is left to people, and a clear word when it is used.
use std::sync::Arc;

use app::{
    sync::{NoSink, Syncer},
    vendors::{DayQuotas, NinjaOneCredentials, SealedVendors, Vendors as _},
};
use connector_api::{DayQuota, Per, RetryPolicy, VendorError};
use jiff::tz::TimeZone;
use kernel::{Clock, secret::ExposeSecret as _};
use store::{
    integrations::Vendor,
    sync::{SyncKind::Full, SyncState},
};
use vault::{MasterKey, Vault};

use crate::world::World;

const UNITS_MAX: u64 = 40;
/// A tenth of it is people's.
const BACKGROUND_MAX: i64 = 36;

struct Limited {
    world: World,
    vault: Vault,
    clock: Clock,
}

impl Limited {
    async fn new() -> Self {
        let world = World::mapped(1, 10).await;
        let clock = Clock::mock(Clock::system().now());
        let vault = Vault::new(world.db.pg.clone(), MasterKey::generate().expect("a key"), clock.clone());
        let credentials = NinjaOneCredentials {
            client_id: world.vendor.sandbox.client_id().to_owned(),
            client_secret: world.vendor.sandbox.client_secret().expose_secret().to_owned(),
            people: None,
        };
        let secret = serde_json::to_string(&credentials).expect("JSON").into();
        let credential = vault.put_credential("ninjaone", &secret).await.expect("sealed");
        let sql = "update public.integrations set credential_id = $1";
        world.admin.execute(sql, &[&credential.0]).await.expect("a row");
        Self { world, vault, clock }
    }

    /// As a process has them that just began.
    fn process(&self) -> Arc<SealedVendors> {
        let quota = DayQuota { class: None, units_max: UNITS_MAX, per: Per::Connection };
        let vendors = SealedVendors::new(self.world.db.pg.clone(), self.vault.clone(), self.clock.clone());
        let days = DayQuotas::default().set(Vendor::NinjaOne, Some(quota));
        Arc::new(vendors.with_retry(RetryPolicy::fast()).with_day_quotas(days))
    }

    async fn sync(&self, vendors: &Arc<SealedVendors>) -> SyncState {
        self.world.queue(Full).await;
        let pg = self.world.db.pg.clone();
        let syncer = Syncer::new(pg, self.clock.clone(), vendors.clone(), Arc::new(NoSink));
        syncer.run_one().await.expect("a worked run").expect("a run").1
    }

    async fn used(&self, vendors: &SealedVendors) -> i64 {
        vendors.keep_counts().await.expect("kept");
        self.world.count("select coalesce(sum(units), 0)::bigint from public.vendor_calls").await
    }

    /// Reads that a person asks for, until the vendor may not be asked any more.
    async fn ask(&self, vendors: &SealedVendors) -> (usize, VendorError) {
        let ninja = vendors.ninjaone(self.world.integration).await.expect("a client");
        for done in 0..UNITS_MAX as usize {
            if let Err(error) = ninja.alerts().await {
                return (done, error);
            }
        }
        panic!("more was asked than a day holds");
    }
}

#[tokio::test]
async fn what_is_used_of_a_day_is_said_and_nothing_is_asked_until_the_next() {
    let limited = Limited::new().await;
    let vendors = limited.process();
    let mut state = SyncState::Complete;
    for _ in 0..20 {
        state = limited.sync(&vendors).await;
        if state != SyncState::Complete {
            break;
        }
    }
    assert_ne!(state, SyncState::Complete, "the quota does not last for so many");
    let today = limited.clock.now().to_zoned(TimeZone::UTC).date();
    let midnight = today.tomorrow().expect("a day").to_zoned(TimeZone::UTC).expect("a time").timestamp();
    let said = format!(
        "select count(*) from public.sync_parts where error::text like '%quota is used until {midnight}%'"
    );
    assert!(limited.world.count(&said).await > 0, "the part says until when");
    assert_eq!(limited.used(&vendors).await, BACKGROUND_MAX, "no more than background work may");
    let sent = limited.world.count("select sum(calls)::bigint from public.vendor_calls").await;
    assert!(sent <= BACKGROUND_MAX, "{sent}");

    // Another process knows it; people have the rest, and no more.
    let other = limited.process();
    assert_ne!(limited.sync(&other).await, SyncState::Complete);
    let (done, refused) = limited.ask(&other).await;
    assert!((2..=4).contains(&done), "{done}");
    assert!(matches!(refused, VendorError::QuotaUsed { until } if until == midnight), "{refused}");
    assert_eq!(limited.used(&other).await, UNITS_MAX as i64);

    limited.clock.advance(midnight.duration_since(limited.clock.now()));
    assert_eq!(limited.sync(&other).await, SyncState::Complete, "the next day");
    assert_eq!(limited.sync(&limited.process()).await, SyncState::Complete);
}
