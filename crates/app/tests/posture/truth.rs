//! What is found is what is wrong, and what is not known says why.
use std::collections::BTreeSet;

use serde_json::json;

use crate::world::World;

const CUSTOMERS: u32 = 18;

#[tokio::test]
async fn every_planted_finding_is_found_and_no_other() {
    let world = World::judged(CUSTOMERS).await;
    let (found, told) = (world.found().await, world.told().await);
    let (missed, wrong): (Vec<_>, Vec<_>) =
        (told.difference(&found).collect(), found.difference(&told).collect());
    assert!(missed.is_empty() && wrong.is_empty(), "missed {missed:#?}, wrong {wrong:#?}");
    // Every check finds something somewhere, and passes somewhere.
    let all: BTreeSet<&str> = domain::posture::Check::ALL.iter().map(|it| it.key).collect();
    let names = |pairs: BTreeSet<(String, String)>| {
        pairs.into_iter().map(|(_, check)| check).collect::<BTreeSet<_>>()
    };
    let is_all = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<BTreeSet<_>>() == all;
    assert!(
        is_all(&names(world.outcomes("outcome = 'failed'").await)),
        "{:?}",
        world.outcomes("outcome = 'failed'").await
    );
    assert!(
        is_all(&names(world.outcomes("outcome = 'passed'").await)),
        "{:?}",
        world.outcomes("outcome = 'passed'").await
    );
    // What is unknown names the reading, and the right where one is missing.
    let missing = "select count(*) from public.posture_checks k where k.check_key = ";
    for (check, permission) in [
        ("admin_mfa", "Policy.Read.All"),
        ("app_credentials", "Application.Read.All"),
        ("secure_score", "SecurityEvents.Read.All"),
    ] {
        let sql = format!("{missing}'{check}' and k.outcome = 'unknown' and k.permission = '{permission}'");
        assert!(world.count(&sql).await > 0, "{check} {permission}");
    }
    let excluded =
        format!("{missing}'dmarc' and k.outcome = 'unknown' and k.missing_reason like '%excluded%'");
    assert_eq!(world.count(&excluded).await, 1);
    let never = format!(
        "{missing}'dkim' and k.outcome = 'unknown' and k.missing_reason like '%analyser has not run%'"
    );
    assert!(world.count(&never).await > 0);
    let premium = format!("{missing}'guest_idle' and k.outcome = 'unknown' and k.missing_read = 'sign_ins'");
    assert!(world.count(&premium).await > 0);
    let sums = "select count(*) from public.posture_checks k where outcome <> 'unknown' and findings <>
        (select count(*) from public.posture_findings f where f.customer_id = k.customer_id and f.posture_check_id = k.id)";
    assert_eq!(world.count(sums).await, 0);
    let lists = "select count(*) from public.posture_tenant_list where checks = 10 and failed + passed + unknown = 10";
    let tenants = world.count("select count(*) from public.posture_tenants").await;
    assert_eq!((world.count(lists).await, tenants), (tenants, i64::try_from(world.mapped().await).unwrap()));
}

#[tokio::test]
async fn what_is_mended_is_no_finding_after_the_next_reading_and_unchanged_rows_stay() {
    let world = World::judged(6).await;
    assert!(world.found().await.iter().any(|it| it.1 == "app_credentials"), "{:?}", world.found().await);
    let version = "select coalesce(sum(xmin::text::bigint), 0)::bigint from public.posture_checks";
    let (before, days) =
        (world.count(version).await, world.count("select count(*) from public.posture_days").await);
    for integration in [world.microsoft, world.cipp] {
        world.sync(integration).await;
    }
    assert!(world.judge().await > 0, "a reading makes tenants due");
    assert_eq!(world.judge().await, 0, "once");
    assert_eq!(world.count(version).await, before, "what did not change is not written");
    for tenant in world.truth().await["tenants"].as_array().unwrap() {
        if let Some(organization) = tenant["organization_id"].as_i64() {
            world
                .control("/applications", json!({ "organization_id": organization, "action": "renew" }))
                .await;
        }
    }
    world.sync(world.microsoft).await;
    world.judge().await;
    assert_eq!(world.found().await, world.told().await);
    assert!(!world.found().await.iter().any(|it| it.1 == "app_credentials"));
    assert_eq!(world.count("select count(*) from public.posture_days").await, days, "one line a day");
    // A day later the trend has a second line; the hour is enough to look again.
    world.clock.advance(jiff::SignedDuration::from_hours(25));
    for integration in [world.sharepoint, world.microsoft, world.cipp] {
        world.sync(integration).await;
    }
    world.judge().await;
    assert_eq!(world.found().await, world.told().await);
    assert_eq!(world.count("select count(distinct day) from public.posture_days").await, 2);
}

#[tokio::test]
async fn a_tenant_that_is_mapped_anew_leaves_nothing_behind() {
    let world = World::judged(5).await;
    let two = "select customer_id from public.posture_tenants order by customer_id limit 2";
    let rows = world.admin.query(two, &[]).await.unwrap();
    let (from, to): (uuid::Uuid, uuid::Uuid) = (rows[0].get(0), rows[1].get(0));
    let moved = "update public.integration_organizations set customer_id = $2, mapped_at = now() where customer_id = $1";
    assert_eq!(world.admin.execute(moved, &[&from, &to]).await.unwrap(), 3);
    for integration in [world.sharepoint, world.microsoft, world.cipp] {
        world.sync(integration).await;
    }
    world.judge().await;
    let left = format!("select count(*) from public.posture_checks where customer_id = '{from}'");
    let shown = format!("select count(*) from public.posture_tenant_list where customer_id = '{from}'");
    let ends = format!(
        "select count(*) from public.integration_expiries where customer_id = '{from}' and kind like 'app%'"
    );
    for sql in [&left, &shown, &ends] {
        assert_eq!(world.count(sql).await, 0, "{sql}");
    }
    let two =
        format!("select count(*) from public.posture_tenant_list where customer_id = '{to}' and checks = 10");
    assert_eq!(world.count(&two).await, 2);
}

impl World {
    async fn mapped(&self) -> usize {
        let truth = self.truth().await;
        truth["tenants"].as_array().unwrap().iter().filter(|it| it["organization_id"].is_i64()).count()
    }
}
