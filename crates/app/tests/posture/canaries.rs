//! A tenant that stops to let us in is noticed within the hour; what is known of it is stale until it is back.
use app::{canaries, expiries};
use jiff::SignedDuration;
use serde_json::json;

use crate::world::World;

const LOST: &str =
    "select count(*) from public.notifications where kind = 'access' and title like '%is lost'";
const BACK: &str =
    "select count(*) from public.notifications where kind = 'access' and title like '%is back'";
const FAILING: &str = "select count(*) from public.tenant_canaries where state = 'failing'";

impl World {
    /// Looks as the worker does, every minute; returns how many tenants were asked.
    async fn look_for(&self, minutes: u32) -> usize {
        let mut asked = 0;
        for _ in 0..minutes {
            asked += canaries::when_due(&self.db.pg, &self.vendors(), &self.clock).await.unwrap();
            self.clock.advance(SignedDuration::from_mins(1));
        }
        asked
    }

    async fn consent(&self, organization: i64, granted: bool) {
        self.control("/consent", json!({ "organization_id": organization, "granted": granted })).await;
    }

    /// The customer's organization at the sandbox, of a tenant that was proven.
    async fn proven(&self) -> i64 {
        let sql = "select c.slug from public.tenant_canaries k
            join public.integration_organizations o on o.integration_id = k.integration_id and o.external_id = k.external_id
            join public.customers c on c.id = o.customer_id
            where k.class = 'policies' and k.state = 'proven' order by 1 limit 1";
        let row = self.admin.query_one(sql, &[]).await.unwrap();
        row.get::<_, String>(0).trim_start_matches("customer-").parse().unwrap()
    }

    async fn stale(&self, view: &str, organization: i64) -> i64 {
        let sql = format!(
            "select count(*) from public.{view} v join public.customers c on c.id = v.customer_id
             where c.slug = 'customer-{organization}' and v.stale_at <= '{}'",
            self.clock.now()
        );
        self.count(&sql).await
    }
}

#[tokio::test]
async fn a_revoked_consent_is_noticed_within_the_hour_and_recovery_puts_it_right() {
    let world = World::judged(6).await;
    world.db.staff("owner").await;
    assert!(world.look_for(2).await > 0);
    let classes = "select count(distinct class) from public.tenant_canaries where state = 'proven'";
    assert_eq!(world.count(classes).await, 4);
    assert_eq!(
        (world.count(FAILING).await, world.count(LOST).await),
        (0, 0),
        "what never worked is not lost"
    );
    let organization = world.proven().await;
    assert_eq!(world.stale("tenant_list", organization).await, 0);
    let unknown = format!(
        "select count(*) from public.posture_checks p join public.customers c on c.id = p.customer_id
         where c.slug = 'customer-{organization}' and p.outcome = 'unknown'"
    );
    let unknown_before = world.count(&unknown).await;

    world.consent(organization, false).await;
    world.look_for(59).await;
    assert!(world.count(FAILING).await > 0, "noticed within the hour");
    assert_eq!(world.count(LOST).await, 2, "once for each connection");
    assert_eq!(world.stale("tenant_list", organization).await, 1);
    assert!(world.stale("person_list", organization).await > 0);
    let proven = "select count(*) from public.tenant_list t join public.tenant_canaries k on k.external_id = t.external_id and k.integration_id = t.integration_id
        where k.class = 'access' and k.state = 'failing' and t.stale_at = k.proved_at";
    assert_eq!(world.count(proven).await, 1, "stale since the last proof");
    world.judge().await;
    assert!(world.count(&unknown).await > unknown_before, "nothing is concluded from what is stale");
    let ended = "select count(*) from public.expiry_list where kind = 'consent' and state = 'ended' and ends_at is not null";
    assert_eq!(world.count(ended).await, 2);
    world.look_for(59).await;
    assert_eq!(world.count(LOST).await, 2, "once");

    world.consent(organization, true).await;
    world.look_for(59).await;
    assert_eq!((world.count(FAILING).await, world.count(BACK).await), (0, 2));
    assert_eq!(world.count(ended).await, 0);
    world.sync(world.microsoft).await;
    assert_eq!(world.stale("tenant_list", organization).await, 0);
}

#[tokio::test]
async fn what_proves_nothing_loses_nothing_and_everybody_gets_a_turn() {
    let world = World::judged(6).await;
    world.db.staff("owner").await;
    world.look_for(2).await;
    let tenants = "select count(*) from public.tenant_canaries where class = 'access'";
    let all = "select count(*) from public.integration_organizations where customer_id is not null";
    assert_eq!(world.count(tenants).await, world.count(all).await);
    assert_eq!(world.look_for(40).await, 0, "not before its time");
    world.fault("graph", "server_error", "/v1.0", 500).await;
    world.fault("cipp", "server_error", "/api", 500).await;
    world.look_for(15).await;
    world.clear_faults().await;
    assert_eq!((world.count(FAILING).await, world.count(LOST).await), (0, 0));
    let organization = world.proven().await;
    world
        .control("/consent", json!({ "organization_id": organization, "granted": false, "of_cipp": true }))
        .await;
    world.look_for(59).await;
    assert_eq!((world.count(FAILING).await, world.count(LOST).await), (1, 1), "CIPP's access is lost");
    assert_eq!(world.stale("cipp_tenant_list", organization).await, 1);
}

#[tokio::test]
async fn an_end_is_prepared_in_a_ticket_that_closes_when_it_is_renewed() {
    let world = World::judged(6).await;
    world.db.staff("owner").await;
    let now = world.clock.now();
    world
        .admin
        .batch_execute(
            "delete from public.integration_expiries where kind <> 'gdap' or customer_id is null or renews",
        )
        .await
        .unwrap();
    let set = "update public.integration_expiries set ends_at = $1";
    let after = |days: i64| now + jiff::Span::new().hours(24 * days);
    let kept = "delete from public.integration_expiries e where e.external_id <> (select min(external_id) from public.integration_expiries)";
    world.admin.batch_execute(kept).await.unwrap();
    world.admin.execute(set, &[&after(80)]).await.unwrap();
    let open = "select count(*) from public.tickets where subject like 'Renew our access to %' and state <> 'closed'";
    let escalated = "select count(*) from public.tickets where subject like 'Renew our access to %' and escalated_at is not null";
    let events = "select count(*) from public.ticket_events where body like 'It ends within %'";
    expiries::tell_due(&world.db.pg, now).await.unwrap();
    assert_eq!((world.count(open).await, world.count(escalated).await), (1, 0));
    let words = "select count(*) from public.tickets where description like '%[link from Partner Center]%'";
    assert_eq!(world.count(words).await, 1);
    expiries::tell_due(&world.db.pg, after(1)).await.unwrap();
    assert_eq!((world.count(open).await, world.count(events).await), (1, 0), "once");
    expiries::tell_due(&world.db.pg, after(55)).await.unwrap();
    assert_eq!((world.count(open).await, world.count(events).await), (1, 1));
    expiries::tell_due(&world.db.pg, after(74)).await.unwrap();
    assert_eq!((world.count(events).await, world.count(escalated).await), (2, 1), "urgent");
    world.admin.execute(set, &[&after(700)]).await.unwrap();
    expiries::tell_due(&world.db.pg, after(75)).await.unwrap();
    assert_eq!(world.count(open).await, 0, "renewed");
    // Closed by hand and not renewed: the next threshold opens another.
    world.admin.execute(set, &[&after(160)]).await.unwrap();
    expiries::tell_due(&world.db.pg, after(75)).await.unwrap();
    let close = "update public.tickets set state = 'closed', resolution = 'later' where state <> 'closed'";
    world.admin.batch_execute(close).await.unwrap();
    expiries::tell_due(&world.db.pg, after(76)).await.unwrap();
    assert_eq!(world.count(open).await, 0);
    expiries::tell_due(&world.db.pg, after(131)).await.unwrap();
    assert_eq!(world.count(open).await, 1);
}

#[tokio::test]
async fn the_end_of_our_own_credentials_is_told_when_a_person_entered_it() {
    let world = World::judged(3).await;
    world.db.staff("owner").await;
    let now = world.clock.now();
    let listed = "select count(*) from public.expiry_list where kind = 'secret' and state = 'open' and last_proved_at is not null and ends_at is null";
    assert_eq!(world.count(listed).await, 3);
    let set = "update public.integrations set credentials_end_at = $1 where vendor = 'cipp'";
    world.admin.execute(set, &[&(now + jiff::Span::new().hours(24 * 20))]).await.unwrap();
    expiries::tell_due(&world.db.pg, now).await.unwrap();
    assert_eq!(world.count(listed).await, 2);
    let told = "select count(*) from public.notifications where kind = 'expiry' and body like 'Credentials of %Make new credentials%'";
    assert_eq!(world.count(told).await, 1);
    let tickets = "select count(*) from public.tickets where subject like '%Credentials of%'";
    assert_eq!(world.count(tickets).await, 0, "it is no customer's");
}
