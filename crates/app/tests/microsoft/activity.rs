//! What happens in tenants is read without a silent gap: what is late is found, what is missing is said and filled, what is lost is said.
use app::sync::ActivityKept;
use serde_json::json;

use crate::world::World;

const CHANGES: &str = "select count(*) from public.directory_changes";
const SPANS: &str = "select count(*) from public.activity_spans where state = ";
/// Tenants that are mapped and let us in.
const OPEN: &str =
    "select count(*) from public.tenant_parts where part = 'organization' and state = 'complete'";

impl World {
    async fn activity(&self, delay: &str) {
        self.control("/settings", json!({ "activity": delay })).await;
    }

    async fn join(&self, count: u32) {
        self.control("/people", json!({ "organization_id": 1, "action": "join", "count": count })).await;
    }

    async fn spans(&self, state: &str) -> i64 {
        self.count(&format!("{SPANS} '{state}'")).await
    }
}

#[tokio::test]
async fn both_logs_are_read_once_and_from_then_on_without_a_gap() {
    let world = World::new(10, 100).await;
    world.sync(world.graph, "full").await;
    let open = world.count(OPEN).await;
    let premium = world.count("select count(*) from public.tenants where has_premium").await;
    assert!(premium > 0 && premium < open, "{premium} of {open}");
    let read = "select count(*) from public.activity_spans where state = 'read' and stream = ";
    assert_eq!(world.count(&format!("{read} 'directory_changes'")).await, open);
    assert_eq!(world.count(&format!("{read} 'sign_in_log'")).await, premium);
    let not_offered = "select count(*) from public.activity_coverage_list where state = 'not_offered' and stream = 'sign_in_log' and reason like '%Entra ID P1%'";
    assert_eq!(world.count(not_offered).await, open - premium);
    let shut = "select count(*) from public.activity_spans s where state = 'gap' and reason like '%does not let the application in%'";
    assert_eq!(world.count(shut).await, 2, "both logs of the tenant that does not let us in");
    let known = "select count(*) from public.sign_in_list where person_id is not null";
    let sign_ins = world.count("select count(*) from public.tenant_sign_ins").await;
    assert!(sign_ins > 50, "{sign_ins}");
    assert_eq!(world.count(known).await, sign_ins, "everybody who signs in has an account");
    for outcome in ["success", "interrupted", "failure"] {
        let of = format!("select count(*) from public.tenant_sign_ins where outcome = '{outcome}'");
        assert!(world.count(&of).await > 0, "{outcome}");
    }
    // The last sign-in that the account names is in the log.
    let unknown = "select count(*) from public.tenant_people p join public.tenants t on t.customer_id = p.customer_id and t.id = p.tenant_id and t.has_premium
        where p.account_enabled and p.user_principal_name not like 'svc-%' and p.last_sign_in_at > now() - interval '6 days' and p.created_in_vendor_at < now() - interval '10 days' and not exists (
          select from public.tenant_sign_ins s where s.customer_id = p.customer_id and s.user_external = p.external_id)";
    assert_eq!(world.count(unknown).await, 0);

    assert_eq!(
        world.count("select coalesce(sum(late_count), 0)::bigint from public.activity_spans").await,
        0
    );
    let before = world.count(CHANGES).await;
    world.join(3).await;
    world.sync(world.graph, "incremental").await;
    // Each came and got a license.
    assert_eq!(world.count(CHANGES).await, before + 6);
    assert_eq!(world.spans("read").await, open + premium, "spans grow, there are no new ones");
    world.sync(world.graph, "full").await;
    assert_eq!(world.count(CHANGES).await, before + 6, "what is read again is there once");
    let named = "select count(*) from public.directory_change_list where activity = 'Change user license' and cardinality(licenses_added) = 1 and actor_name <> '' and person_id is not null";
    assert!(world.count(named).await >= 3);
}

#[tokio::test]
async fn events_that_come_late_are_found_by_a_later_run() {
    let world = World::new(4, 40).await;
    world.sync(world.graph, "full").await;
    let before = world.count(CHANGES).await;
    world.activity("late").await;
    world.join(2).await;
    world.sync(world.graph, "incremental").await;
    assert_eq!(world.count(CHANGES).await, before, "they happened, and nobody was told");
    world.activity("at_once").await;
    world.sync(world.graph, "incremental").await;
    assert_eq!(world.count(CHANGES).await, before + 4);
    let late = "select coalesce(sum(late_count), 0)::bigint from public.activity_spans where stream = 'directory_changes'";
    assert_eq!(world.count(late).await, 4);
}

#[tokio::test]
async fn a_gap_is_open_with_its_reason_until_it_is_filled() {
    let world = World::new(4, 40).await;
    world.sync(world.graph, "full").await;
    let (before, read) = (world.count(CHANGES).await, world.spans("read").await);
    assert_eq!(world.spans("gap").await, 0);
    world.fault("missing_permission", "/v1.0/auditLogs", 100).await;
    world.join(2).await;
    assert_eq!(
        world.sync(world.graph, "incremental").await,
        "complete",
        "a missing right of a log stops nothing else"
    );
    let denied = "select count(*) from public.activity_coverage_list where state = 'gap' and permission = 'AuditLog.Read.All' and gap_from is not null and not is_complete";
    assert_eq!(world.count(denied).await, read, "of every log that was read");
    assert_eq!(world.count(CHANGES).await, before);
    world.clear_faults().await;
    world.fault("too_many_requests", "/v1.0/auditLogs", 400).await;
    assert_eq!(world.sync(world.graph, "incremental").await, "partial");
    assert_eq!((world.spans("gap").await, world.count(CHANGES).await), (read, before));
    world.clear_faults().await;
    world.sync(world.graph, "incremental").await;
    assert_eq!((world.spans("gap").await, world.spans("read").await), (0, read), "one span again");
    assert_eq!(world.count(CHANGES).await, before + 4);
    let joined = "select count(*) from public.activity_spans where state = 'read' and to_at > now() - interval '1 minute'";
    assert_eq!(world.count(joined).await, read);
}

#[tokio::test]
async fn what_the_vendor_has_forgotten_is_lost_and_said_so() {
    let world = World::new(4, 40).await;
    world.sync(world.graph, "full").await;
    let read = world.spans("read").await;
    let back = "update public.activity_spans set from_at = now() - interval '60 days', to_at = now() - interval '50 days'";
    world.admin.execute(back, &[]).await.expect("time passes");
    let behind = "select count(*) from public.activity_coverage_list where state = 'gap' and not is_complete";
    assert_eq!(world.count(behind).await, read, "time alone opens a gap");
    world.sync(world.graph, "incremental").await;
    let lost = "select count(*) from public.activity_spans where state = 'lost' and stream = 'directory_changes' and reason like 'not read in time%'
        and abs(extract(epoch from from_at - (now() - interval '50 days'))) < 600 and to_at < now() - interval '6 days'";
    let directories = world.count(OPEN).await;
    assert_eq!(world.count(lost).await, directories);
    let said = "select count(*) from public.activity_coverage_list where state = 'lost' and lost = 1 and is_complete and stream = 'directory_changes'";
    assert_eq!(world.count(said).await, directories);
    let overlaps = "select count(*) from public.activity_spans a join public.activity_spans b on b.tenant_id = a.tenant_id and b.stream = a.stream and b.id > a.id
        and b.from_at < a.to_at and a.from_at < b.to_at";
    assert_eq!(world.count(overlaps).await, 0);
}

#[tokio::test]
async fn what_is_older_than_the_operator_keeps_is_forgotten_and_not_called_read() {
    let world = World::new(4, 60).await;
    world.sync(world.graph, "full").await;
    let old = "select count(*) from public.tenant_sign_ins where happened_at < now() - interval '2 days'";
    assert!(world.count(old).await > 0);
    world.queue(world.graph, "incremental").await;
    let kept = ActivityKept { sign_ins_days: 2, ..ActivityKept::default() };
    world.syncer().keeping(kept).run_one().await.expect("a worked run").expect("a run");
    assert_eq!(world.count(old).await, 0);
    let claimed = "select count(*) from public.activity_spans where stream = 'sign_in_log' and from_at < now() - interval '2 days 5 minutes'";
    assert_eq!(world.count(claimed).await, 0);
    assert!(world.count("select count(*) from public.tenant_sign_ins").await > 0);
}

#[tokio::test]
async fn a_tenant_that_goes_takes_what_happened_in_it_along() {
    let world = World::new(4, 40).await;
    world.sync(world.graph, "full").await;
    let unmap = "update public.integration_organizations set customer_id = null where integration_id = $1";
    world.admin.execute(unmap, &[&world.graph.0]).await.expect("unmapped");
    world.sync(world.graph, "full").await;
    let left = "select (select count(*) from public.directory_changes) + (select count(*) from public.tenant_sign_ins) + (select count(*) from public.activity_spans)";
    assert_eq!(world.count(left).await, 0);
}

#[tokio::test]
async fn a_difference_of_seats_names_who_made_it() {
    let world = World::read(25, 500).await;
    world.reconcile().await;
    let planted = world.seat_mistakes().await;
    let under = planted.iter().filter(|it| it["kind"] == "under_billed").count();
    assert!(under > 0, "{planted:?}");
    let named = "select count(*) from public.count_differences d where d.state = 'open' and d.cause ->> 'kind' = 'seats_added'
        and (select bool_and(p ? 'by' and p ? 'at') from jsonb_array_elements(d.cause -> 'people') p) and d.cause_text like '% by %'";
    assert_eq!(world.count(named).await, i64::try_from(under).expect("a count"));
    // People who were gone before anybody looked are known to the log only.
    let gone = "select count(*) from public.count_differences d where d.state = 'open' and d.cause ->> 'kind' = 'seats_gone' and d.cause_text like '%former.1@% by %'";
    let over = planted.iter().filter(|it| it["kind"] == "over_billed").count();
    assert_eq!(world.count(gone).await, i64::try_from(over).expect("a count"));
}
