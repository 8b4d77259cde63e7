//! What is found, and what is never found.
use app::drift::{
    compare::{self, Likeness},
    decide::{self, Extent},
    preview::{self, Proposed},
};
use domain::drift::{Entry, Rule, Severity};
use jiff::Span;
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

const LIVE: &str = "'open'";

#[tokio::test]
async fn every_planted_drift_is_found_and_no_other() {
    let world = World::judged().await;
    let planted = world.planted().await;
    assert!(planted.len() > 10, "{planted:?}");
    assert_eq!(world.found(LIVE).await, planted);
    // Tenants that CIPP cannot read, or leaves alone, are unknown with their reason.
    let silent = "select count(distinct cipp_tenant_id) from public.drifts where state = 'unknown' and unknown_kind in ('never_read', 'excluded')";
    assert_eq!(world.count(silent).await, 2);
    let sums = "select count(*) from public.drift_evaluations e where settings_demanded <> in_order + drifted + accepted + unknown";
    assert_eq!(world.count(sums).await, 0);
    // Somebody changes one more: found by the next reading, with its cause.
    let (tenant, setting) = ("organization_id", "standards.AuditLog");
    let sql = "select o.customer_id from public.cipp_tenants t join public.integration_organizations o on o.external_id = t.external_id
        join public.tenant_settings s on s.customer_id = t.customer_id and s.cipp_tenant_id = t.id
        where s.setting = 'standards.AuditLog' and s.value = 'true' limit 1";
    let customer: Uuid = world.db.read(sql).await;
    let slug: String =
        world.db.read(&format!("select slug from public.customers where id = '{customer}'")).await;
    let organization: i64 = slug.trim_start_matches("customer-").parse().expect("a number");
    world.control("/settings", json!({ tenant: organization, "setting": setting, "value": false })).await;
    world.sync().await;
    world.judge().await;
    assert_eq!(world.found(LIVE).await, world.planted().await);
    let cause = format!(
        "select cause ->> 'kind' from public.drifts where customer_id = '{customer}' and setting = '{setting}' and state = 'open'"
    );
    assert_eq!(world.db.read::<String>(&cause).await, "changed");
    // It is put right there: closed, because a reading shows it.
    world.control("/settings", json!({ tenant: organization, "setting": setting, "value": true })).await;
    world.sync().await;
    world.judge().await;
    let closed = format!(
        "select close_reason from public.drifts where customer_id = '{customer}' and setting = '{setting}'"
    );
    assert_eq!(world.db.read::<String>(&closed).await, "in_order");
}

#[tokio::test]
async fn no_fault_of_the_vendor_makes_or_closes_a_drift() {
    let world = World::judged().await;
    let before = world.found(LIVE).await;
    let faults = [
        "too_many_requests",
        "server_error",
        "error_text",
        "html_page",
        "not_ok",
        "placeholder",
        "false_row",
        "truncated_list",
        "dropped_connection",
    ];
    for fault in faults {
        for path in ["/api/ListStandardsCompare", "/api/ListTenants"] {
            world.fault(fault, path, 200).await;
            world.sync().await;
            world.judge().await;
            world.clear_faults().await;
            let now = world.found(LIVE).await;
            let made: Vec<_> = now.difference(&before).collect();
            assert!(made.is_empty(), "{fault} of {path} made {made:?}");
            // What cannot be told is unknown; only that it was unknown may end.
            let kept = world.found("'open', 'unknown'").await;
            assert!(before.is_subset(&kept), "{fault} of {path} closed a drift");
            let closed =
                "select count(*) from public.drifts where state = 'closed' and close_reason <> 'in_order'";
            assert_eq!(world.count(closed).await, 0, "{fault} of {path}");
        }
    }
    world.sync().await;
    world.judge().await;
    assert_eq!(world.found(LIVE).await, before, "all is known again");
}

#[tokio::test]
async fn an_accepted_drift_comes_back_when_its_time_is_over() {
    let world = World::judged().await;
    let picked = world.pick().await;
    let owner = world.db.staff("owner").await;
    let pg = &world.db.pg;
    let now = world.clock.now();
    let until = now + Span::new().hours(3);
    let key = (picked.customer, picked.id);
    let late = now + Span::new().hours(367 * 24);
    let refused = decide::accept(pg, &owner, key, Extent::ThisValue, ("a scanner", late), now).await;
    assert_eq!(refused.unwrap_err().status, 422);
    let member = world.db.portal(picked.customer, "portal_admin").await;
    let refused = decide::accept(pg, &member, key, Extent::ThisValue, ("mine", until), now).await;
    assert_eq!(refused.unwrap_err().status, 403);
    decide::accept(pg, &owner, key, Extent::ThisValue, ("a scanner", until), now).await.expect("accepted");
    assert_eq!(world.state(&picked).await.0, "accepted");
    assert_eq!(world.judge().await, 0, "nothing is due");
    world.later(4);
    world.sync().await;
    assert!(world.judge().await > 0);
    assert_eq!(world.state(&picked).await.0, "open");
    decide::deny(pg, &owner, key, "it must go", world.clock.now()).await.expect("denied");
    assert_eq!(world.state(&picked).await.0, "denied");
    decide::withdraw(pg, &owner, key, world.clock.now()).await.expect("taken back");
    assert_eq!(world.state(&picked).await.0, "open");
}

#[tokio::test]
async fn layers_replace_each_other_and_old_facts_are_unknown_and_told() {
    let world = World::judged().await;
    let picked = world.pick().await;
    // The customer's own entry switches it off; taken away, it is demanded again.
    let (customer, setting) = (picked.customer, &picked.setting);
    world
        .run(&format!(
            "insert into public.customer_baseline_entries (customer_id, setting, severity) values ('{customer}', '{setting}', 'low')"
        ))
        .await;
    assert!(world.judge().await > 0);
    assert_eq!(world.state(&picked).await.2.as_deref(), Some("not_demanded"));
    world.run("delete from public.customer_baseline_entries").await;
    world.judge().await;
    assert!(world.found(LIVE).await.contains(&(picked.tenant.clone(), picked.setting.clone())));
    // A tier demands the opposite.
    world
        .run(&format!(
            "insert into public.baselines (kind, name) values ('tier', 'Bronze');
             insert into public.baseline_entries (baseline_id, setting, rule, severity) select id, '{setting}', '{{\"is\": \"equals\", \"value\": false}}', 'low' from public.baselines where kind = 'tier';
             insert into public.customer_tiers (customer_id, baseline_id) select '{customer}', id from public.baselines where kind = 'tier'"
        ))
        .await;
    world.judge().await;
    assert!(!world.found(LIVE).await.contains(&(picked.tenant.clone(), picked.setting.clone())));
    // What a rule comes to is known before it is kept; nothing was kept.
    let owner = world.db.staff("owner").await;
    let entry = Entry {
        setting: "standards.AuditLog".into(),
        rule: Some(Rule::Equals { value: json!("never") }),
        severity: Severity::High,
        why: String::new(),
    };
    let (pg, now) = (&world.db.pg, world.clock.now());
    let seen = preview::preview(pg, &owner, Proposed::Provider, vec![entry], now).await.expect("a preview");
    assert!(seen.tenants_drifting > 3 && seen.then.drifted < seen.now.drifted, "{seen:?}");
    // Nobody reads any more: after the facts' time all is unknown, and after two days people are told, once.
    let told = "select count(*) from public.notifications where kind = 'drift'";
    let before = world.count(told).await;
    world.later(30);
    world.judge().await;
    assert_eq!(world.found(LIVE).await.len(), 0, "stale facts are no drift");
    assert!(world.count("select count(*) from public.drifts where unknown_kind = 'stale'").await > 0);
    world.later(40);
    world.judge().await;
    let first = world.count(told).await;
    assert!(first > before);
    world.later(2);
    world.judge().await;
    assert_eq!(world.count(told).await, first);
}

#[tokio::test]
async fn two_tenants_are_compared_and_strangers_see_nothing() {
    let world = World::judged().await;
    let sql =
        "select id from public.cipp_tenants where not is_excluded and graph_error_count = 0 order by name";
    let rows = world.admin.query(sql, &[]).await.expect("tenants");
    let (left, right): (Uuid, Uuid) = (rows[0].get(0), rows[1].get(0));
    let owner = world.db.staff("owner").await;
    let pg = &world.db.pg;
    let found = compare::compare(pg, &owner, left, right).await.expect("a comparison");
    let differing = format!(
        "select count(*) from public.tenant_settings a join public.tenant_settings b on b.setting = a.setting and b.cipp_tenant_id = '{right}'
         where a.cipp_tenant_id = '{left}' and a.value <> b.value"
    );
    let counted = found.settings.iter().filter(|it| it.is == Likeness::Differs).count();
    assert_eq!(i64::try_from(counted).expect("few"), world.count(&differing).await);
    assert!(found.settings.len() >= 20);
    let same = compare::compare(pg, &owner, left, left).await.expect("a comparison");
    assert!(same.settings.iter().all(|it| it.is == Likeness::Same));
    let customer = world.pick().await.customer;
    let member = world.db.portal(customer, "portal_admin").await;
    assert_eq!(compare::compare(pg, &member, left, right).await.unwrap_err().status, 404);
    let tx = pg.act_as(&member).await.expect("a transaction");
    assert!(tx.query("select 1 from public.drift_list", &[]).await.is_err());
}
