//! Cases with known answers, and laws for any readings.
use jiff::Span;
use proptest::{prelude::*, sample::select};

use super::*;

fn now() -> Timestamp {
    "2026-03-10T12:00:00Z".parse().expect("a time")
}

fn days(days: i64) -> Timestamp {
    now() + Span::new().hours(24 * days)
}

fn whole() -> Reading {
    Reading::Whole { observed_at: now() }
}

fn facts() -> Facts {
    Facts {
        people: whole(),
        roles: whole(),
        sign_ins: whole(),
        policies: whole(),
        applications: whole(),
        secure_score: whole(),
        mail_domains: whole(),
        forwardings: whole(),
        sharing: whole(),
        sites: Vec::new(),
        admins: Vec::new(),
        guests: Vec::new(),
        credentials: Vec::new(),
        domains: Vec::new(),
        forwarded: Vec::new(),
        links: Vec::new(),
        score: Some(Score { day: "2026-03-09".parse().expect("a day"), current: 60.0, max: 100.0 }),
        initial_domain: Some("contoso.onmicrosoft.example".into()),
    }
}

fn check(id: CheckId) -> &'static Check {
    static ALL: [Check; 10] = Check::ALL;
    ALL.iter().find(|it| it.id == id).expect("a check")
}

fn keys(id: CheckId, facts: &Facts) -> Result<Vec<String>, String> {
    match judge(check(id), facts, now()).outcome {
        Outcome::Passed => Ok(Vec::new()),
        Outcome::Failed(found) => Ok(found.into_iter().map(|it| it.key).collect()),
        Outcome::Unknown { missing, reason, .. } => Err(format!("{}: {reason}", missing.as_str())),
    }
}

fn admin(id: &str, outcome: Option<&str>) -> Admin {
    Admin {
        id: id.into(),
        name: id.into(),
        upn: format!("{id}@contoso.example"),
        roles: vec!["Global Administrator".into()],
        outcome: outcome.map(str::to_owned),
        reason: None,
    }
}

fn guest(id: &str, created: i64, signed_in: Option<i64>) -> Guest {
    Guest {
        id: id.into(),
        name: id.into(),
        upn: format!("{id}@partner.example"),
        roles: Vec::new(),
        created_at: Some(days(created)),
        last_sign_in_at: signed_in.map(days),
    }
}

fn credential(id: &str, app: &str, ends: Option<i64>) -> Credential {
    Credential {
        id: id.into(),
        app: app.into(),
        app_name: "Backup".into(),
        kind: "secret".into(),
        name: None,
        hint: Some("abc".into()),
        ends_at: ends.map(days),
    }
}

fn domain(policy: Option<Policy>) -> Domain {
    Domain {
        domain: "contoso.example".into(),
        spf: Some(true),
        spf_record: Some("v=spf1 -all".into()),
        dkim: Some(true),
        dmarc: Some(policy.is_some()),
        policy,
        covers_all: Some(true),
        analysed_at: Some(days(-1)),
    }
}

fn forwarding(id: &str, reach: Reach) -> Forwarding {
    Forwarding {
        id: id.into(),
        mailbox: id.into(),
        name: None,
        target: "x@y.example".into(),
        reach,
        keeps_copy: Some(false),
    }
}

fn link(id: &str, expires: Option<i64>) -> Link {
    Link {
        id: id.into(),
        document: "d".into(),
        path: "/a.docx".into(),
        site: "Sales".into(),
        kind: "view".into(),
        expires_at: expires.map(days),
        has_password: false,
    }
}

#[test]
fn an_administrator_counts_as_the_mfa_engine_says() {
    let mut it = facts();
    it.admins = vec![admin("a", Some("protected")), admin("b", Some("gap")), admin("c", Some("exempt"))];
    assert_eq!(keys(CheckId::AdminMfa, &it), Ok(vec!["b".into()]));
    it.admins.push(admin("d", Some("unknown")));
    let why = keys(CheckId::AdminMfa, &it).expect_err("unknown");
    assert!(why.starts_with("policies: ") && why.contains("d@contoso.example"), "{why}");
    it.admins[3] = admin("d", None);
    assert!(keys(CheckId::AdminMfa, &it).is_err(), "one who was never judged is not known");
}

#[test]
fn guests_are_idle_after_ninety_days_and_count_from_their_invitation() {
    let mut it = facts();
    it.guests = vec![
        guest("used", -400, Some(-89)),
        guest("idle", -400, Some(-91)),
        guest("new", -30, None),
        guest("never", -91, None),
    ];
    assert_eq!(keys(CheckId::GuestIdle, &it), Ok(vec!["idle".into(), "never".into()]));
    assert_eq!(keys(CheckId::GuestRoles, &it), Ok(vec![]));
    it.guests[0].roles = vec!["User Administrator".into()];
    assert_eq!(keys(CheckId::GuestRoles, &it), Ok(vec!["used".into()]));
}

#[test]
fn a_secret_that_was_replaced_is_no_finding() {
    let mut it = facts();
    it.credentials = vec![
        credential("ended", "1", Some(-1)),
        credential("soon", "2", Some(29)),
        credential("later", "3", Some(31)),
        credential("old", "4", Some(-9)),
        credential("new", "4", Some(200)),
        credential("first", "5", Some(-9)),
        credential("second", "5", Some(9)),
        credential("endless", "6", None),
    ];
    let found = keys(CheckId::AppCredentials, &it).expect("known");
    assert_eq!(found, ["ended", "soon", "first", "second"]);
}

#[test]
fn a_link_counts_until_it_ends_and_sites_that_nobody_reads_are_no_pass() {
    let mut it = facts();
    let site = |sharing| Site { name: "Sales".into(), sharing };
    it.sites = vec![site(Some(whole()))];
    assert_eq!(keys(CheckId::AnonymousLinks, &it), Ok(vec![]));
    it.sites.push(site(None));
    assert!(keys(CheckId::AnonymousLinks, &it).expect_err("unknown").contains("1 of 2 sites"));
    it.links = vec![link("1", None), link("2", Some(-1)), link("3", Some(1))];
    assert_eq!(keys(CheckId::AnonymousLinks, &it), Ok(vec!["d 1".into(), "d 3".into()]));
    it.sites.push(site(Some(Reading::lacking("throttled"))));
    assert!(keys(CheckId::AnonymousLinks, &it).expect_err("unknown").contains("Sales: throttled"));
}

#[test]
fn mail_that_leaves_is_told_from_mail_that_stays() {
    let verified = ["contoso.example", "contoso.onmicrosoft.example"];
    for (target, is) in [
        ("a@contoso.example", Reach::Inside),
        ("a@CONTOSO.example", Reach::Inside),
        ("a@mail.contoso.example", Reach::Outside),
        ("a@notcontoso.example", Reach::Outside),
        ("a@contoso.example.evil.example", Reach::Outside),
        ("\"a@contoso.example\"@evil.example", Reach::Outside),
        ("Ada Lovelace", Reach::Unknown),
        ("@contoso.example", Reach::Unknown),
        ("a@", Reach::Unknown),
    ] {
        assert_eq!(reach(target, verified), is, "{target}");
    }
    let mut it = facts();
    it.forwarded = vec![forwarding("in", Reach::Inside), forwarding("out", Reach::Outside)];
    assert_eq!(keys(CheckId::OutsideForwarding, &it), Ok(vec!["out".into()]));
    it.forwarded.push(forwarding("contact", Reach::Unknown));
    assert!(keys(CheckId::OutsideForwarding, &it).expect_err("unknown").contains("contact"));
}

#[test]
fn a_domain_passes_only_where_forged_mail_is_stopped() {
    let of = |change: fn(&mut Domain)| {
        let mut it = facts();
        let mut one = domain(Some(Policy::Reject));
        change(&mut one);
        it.domains = vec![one];
        [CheckId::Spf, CheckId::Dkim, CheckId::Dmarc].map(|id| keys(id, &it).map(|found| found.len()).ok())
    };
    assert_eq!(of(|_| {}), [Some(0), Some(0), Some(0)]);
    assert_eq!(of(|it| it.policy = Some(Policy::Quarantine)), [Some(0), Some(0), Some(0)]);
    assert_eq!(of(|it| it.policy = Some(Policy::None)), [Some(0), Some(0), Some(1)]);
    assert_eq!(of(|it| it.covers_all = Some(false)), [Some(0), Some(0), Some(1)]);
    assert_eq!(of(|it| it.dmarc = Some(false)), [Some(0), Some(0), Some(1)]);
    assert_eq!(of(|it| it.policy = None), [Some(0), Some(0), None]);
    assert_eq!(of(|it| it.covers_all = None), [Some(0), Some(0), None]);
    assert_eq!(of(|it| it.dmarc = None), [Some(0), Some(0), None]);
    assert_eq!(of(|it| it.spf = Some(false)), [Some(1), Some(0), Some(0)]);
    assert_eq!(of(|it| (it.spf, it.dkim) = (None, Some(false))), [None, Some(1), Some(0)]);
    assert_eq!(of(|it| it.analysed_at = None), [None, None, None]);
    assert_eq!(of(|it| it.analysed_at = Some(days(-8))), [None, None, None]);
    // Nobody can publish records for the vendor's own domains.
    assert_eq!(
        of(|it| (it.domain, it.spf) = ("contoso.onmicrosoft.example".into(), Some(false))),
        [Some(0), Some(0), Some(0)]
    );
}

#[test]
fn a_score_of_long_ago_says_nothing() {
    let mut it = facts();
    assert_eq!(keys(CheckId::SecureScore, &it), Ok(vec![]));
    it.score = Some(Score { day: "2026-03-09".parse().expect("a day"), current: 49.9, max: 100.0 });
    assert_eq!(keys(CheckId::SecureScore, &it), Ok(vec!["secure_score".into()]));
    it.score = Some(Score { day: "2026-03-01".parse().expect("a day"), current: 10.0, max: 100.0 });
    assert!(keys(CheckId::SecureScore, &it).is_err());
    it.score = None;
    assert!(keys(CheckId::SecureScore, &it).is_err());
}

#[test]
fn every_check_is_named_once() {
    let names: std::collections::BTreeSet<&str> = Check::ALL.iter().map(|it| it.key).collect();
    assert_eq!(names.len(), Check::ALL.len());
    assert!(Check::ALL.iter().all(|it| !it.reads.is_empty() && !it.advice.is_empty()));
}

/// All that is wrong at once.
fn bad() -> Facts {
    let mut it = facts();
    it.admins = vec![admin("a", Some("gap"))];
    it.guests = vec![Guest { roles: vec!["User Administrator".into()], ..guest("g", -400, None) }];
    it.credentials = vec![credential("c", "1", Some(-1))];
    it.domains = vec![Domain { spf: Some(false), dkim: Some(false), ..domain(None) }];
    it.forwarded = vec![forwarding("f", Reach::Outside)];
    it.sites = vec![Site { name: "Sales".into(), sharing: Some(whole()) }];
    it.links = vec![link("l", None)];
    it.score = Some(Score { day: "2026-03-10".parse().expect("a day"), current: 1.0, max: 100.0 });
    it
}

const READS: [Read; 9] = [
    Read::People,
    Read::Roles,
    Read::SignIns,
    Read::Policies,
    Read::Applications,
    Read::SecureScore,
    Read::MailDomains,
    Read::Forwardings,
    Read::Sharing,
];

fn lose(facts: &mut Facts, read: Read) {
    let lost = Reading::lacking("it failed");
    match read {
        Read::People => facts.people = lost,
        Read::Roles => facts.roles = lost,
        Read::SignIns => facts.sign_ins = lost,
        Read::Policies => facts.policies = lost,
        Read::Applications => facts.applications = lost,
        Read::SecureScore => facts.secure_score = lost,
        Read::MailDomains => facts.mail_domains = lost,
        Read::Forwardings => facts.forwardings = lost,
        Read::Sharing => facts.sharing = lost,
    }
}

proptest! {
    /// Whatever else is known: a check whose reading is lacking is unknown and names a lacking reading; every other stays as it was.
    #[test]
    fn nothing_is_said_without_its_readings(lost in proptest::collection::btree_set(select(&READS[..]), 0..9), wrong in any::<bool>()) {
        let full = if wrong { bad() } else { facts() };
        let mut less = full.clone();
        for read in &lost {
            lose(&mut less, *read);
        }
        for check in &Check::ALL {
            let verdict = judge(check, &less, now());
            if check.reads.iter().any(|read| lost.contains(read)) {
                let is_named = matches!(&verdict.outcome, Outcome::Unknown { missing, .. } if lost.contains(missing));
                prop_assert!(is_named, "{}: {verdict:?}", check.key);
            } else {
                prop_assert_eq!(&verdict, &judge(check, &full, now()));
                let is_failed = matches!(verdict.outcome, Outcome::Failed(_));
                prop_assert_eq!(is_failed, wrong, "{}", check.key);
            }
        }
    }
}
