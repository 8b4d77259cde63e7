//! No fault passes a check, takes a finding back or lowers the trend.
use crate::world::World;

/// What a fault of the reading makes unknown.
const FAULTS: [(&str, &str, &str, &[&str]); 12] = [
    ("cipp", "server_error", "/api/ListDomainAnalyser", &["spf", "dkim", "dmarc"]),
    ("cipp", "placeholder", "/api/ListDomainAnalyser", &["spf", "dkim", "dmarc"]),
    ("cipp", "truncated_list", "/api/ListDomainAnalyser", &["spf", "dkim", "dmarc"]),
    ("cipp", "not_ok", "/api/ListDomainAnalyser", &["spf", "dkim", "dmarc"]),
    ("cipp", "html_page", "/api/ListMailboxForwarding", &["outside_forwarding"]),
    ("cipp", "placeholder", "/api/ListMailboxForwarding", &["outside_forwarding"]),
    ("cipp", "error_text", "/api/ListMailboxForwarding", &["outside_forwarding"]),
    ("cipp", "server_error", "/api/ListDomains", &["outside_forwarding"]),
    ("graph", "missing_permission", "/v1.0/applications", &["app_credentials"]),
    ("graph", "server_error", "/v1.0/applications", &["app_credentials"]),
    ("graph", "missing_permission", "/v1.0/security", &["secure_score"]),
    ("graph", "server_error", "/v1.0/roleManagement", &["admin_mfa", "guest_roles"]),
];

#[tokio::test]
async fn a_reading_that_fails_makes_a_check_unknown_and_nothing_else() {
    let world = World::judged(6).await;
    let kept = "select count(*) from public.posture_findings";
    let trend = "select sum(findings)::bigint from public.posture_days";
    let (before, trend_before) = (world.count(kept).await, world.count(trend).await);
    assert!(before > 10, "{before}");
    let passed = world.outcomes("outcome = 'passed'").await;
    let unknown = world.outcomes("outcome = 'unknown'").await;
    for (vendor, kind, path, checks) in FAULTS {
        let integration = if vendor == "cipp" { world.cipp } else { world.microsoft };
        world.fault(vendor, kind, path, 900).await;
        let state = world.sync(integration).await;
        world.clear_faults().await;
        world.judge().await;
        let now_unknown = world.outcomes("outcome = 'unknown'").await;
        let came: Vec<_> =
            now_unknown.difference(&unknown).filter(|it| !checks.contains(&it.1.as_str())).collect();
        assert!(came.is_empty(), "{kind} {path} ({state}): {came:?}");
        for check in checks {
            let judged = format!("check_key = '{check}' and outcome <> 'unknown'");
            assert!(world.outcomes(&judged).await.is_empty(), "{kind} {path} ({state}): {check}");
        }
        assert!(world.outcomes("outcome = 'passed'").await.is_subset(&passed), "{kind} {path}");
        assert_eq!(world.count(kept).await, before, "{kind} {path}: findings stay");
        assert_eq!(world.count(trend).await, trend_before, "{kind} {path}: the trend does not fall");
        let gone = "select (select count(*) from public.tenant_mail_domains where missing_since is not null)
            + (select count(*) from public.mailbox_forwardings where missing_since is not null)
            + (select count(*) from public.tenant_app_credentials where missing_since is not null)";
        assert_eq!(world.count(gone).await, 0, "{kind} {path}");
        world.sync(integration).await;
        world.judge().await;
        assert_eq!(world.outcomes("outcome = 'unknown'").await, unknown, "{kind} {path}: mended");
        assert_eq!(world.found().await, world.told().await, "{kind} {path}: mended");
    }
}

#[tokio::test]
async fn a_right_that_is_missing_leaves_the_rest_of_the_connection_whole() {
    let world = World::judged(3).await;
    world.fault("graph", "missing_permission", "/v1.0/applications", 90).await;
    world.fault("graph", "missing_permission", "/v1.0/security", 90).await;
    assert_eq!(world.sync(world.microsoft).await, "complete");
    world.judge().await;
    let named = "select count(*) from public.posture_checks where outcome = 'unknown' and permission in ('Application.Read.All', 'SecurityEvents.Read.All')";
    assert!(world.count(named).await >= 4);
}

#[tokio::test]
async fn what_was_read_long_ago_is_not_known() {
    let world = World::judged(3).await;
    let before = world.count("select count(*) from public.posture_findings").await;
    world.clock.advance(jiff::SignedDuration::from_hours(24 * 9));
    assert!(world.judge().await > 0, "looked at again within the hour");
    let known = world.outcomes("outcome <> 'unknown'").await;
    assert!(known.is_empty(), "{known:?}");
    assert_eq!(world.count("select count(*) from public.posture_findings").await, before);
    let fell = "select count(*) from public.posture_days n join public.posture_days o on o.customer_id = n.customer_id and o.posture_tenant_id = n.posture_tenant_id
        and o.check_key = n.check_key and o.day < n.day where n.findings < o.findings or n.is_known";
    assert_eq!(world.count(fell).await, 0);
    assert_eq!(world.count("select count(distinct day) from public.posture_days").await, 2);
}
