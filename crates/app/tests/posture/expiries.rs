//! Secrets of applications end, and people hear of it.
use app::expiries;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn secrets_are_in_the_calendar_without_what_they_are_and_people_hear_of_them() {
    let world = World::judged(6).await;
    world.db.staff("owner").await;
    let listed = "select count(*) from public.expiry_list where kind in ('app_secret', 'app_certificate') and customer_id is not null";
    let credentials = "select count(*) from public.tenant_app_credentials where missing_since is null";
    // The old secret that was replaced is not listed; one that ended and was not, is.
    assert!(world.count(listed).await > 0 && world.count(listed).await < world.count(credentials).await);
    let ended = "select count(*) from public.expiry_list where kind = 'app_secret' and ends_at <= '2026-03-10T12:00:00Z'";
    assert!(world.count(ended).await > 0);
    assert_eq!(world.count("select count(*) from public.expiry_list where subject like '%Accounting%' and ends_at <= '2026-03-10T12:00:00Z'").await, 0);
    let secret = "select count(*) from public.tenant_app_credentials c where to_jsonb(c)::text like '%secretText%' or length(c.hint) > 3";
    assert_eq!(world.count(secret).await, 0);
    let now = world.clock.now();
    let told = expiries::tell_due(&world.db.pg, now).await.unwrap();
    assert!(told > 0);
    let notices =
        "select count(*) from public.notifications where kind = 'expiry' and body like '%Make a new secret%'";
    assert!(world.count(notices).await > 0);
    assert_eq!(expiries::tell_due(&world.db.pg, now).await.unwrap(), 0, "once");
    // Renewed secrets take the place of those that ended.
    for tenant in world.truth().await["tenants"].as_array().unwrap() {
        if let Some(organization) = tenant["organization_id"].as_i64() {
            world
                .control("/applications", json!({ "organization_id": organization, "action": "renew" }))
                .await;
        }
    }
    world.sync(world.microsoft).await;
    assert_eq!(world.count(ended).await, 0);
    assert_eq!(expiries::tell_due(&world.db.pg, now).await.unwrap(), 0);
}
