//! Alerts of a deployment: what its checks found in one tenant, and the rules that people set up.
use connector_api::{VendorError, Walk};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;

use crate::client::{Ask, Cipp};
use crate::fields::Fields;
use crate::rights;

const FIRED: Ask = Ask::of("ListAlertResults", rights::ALERTS);
const RULES: Ask = Ask::of("ListAlertsQueue", rights::ALERTS);
/// Longest name of a check, and longest hash, that is taken for one: they make the key of an alert.
const KEY_CHARS_MAX: usize = 200;
/// A day as deployments before 11 write it: `20260310`.
const DAY_DIGITS: usize = 8;
/// What a rule for every tenant names.
const ALL_TENANTS: [&str; 2] = ["AllTenants", "*All Tenants"];

/// One thing that a check of CIPP found in a tenant. It has no reading of its own: it is there as long as the list has it.
#[derive(Clone, Debug, PartialEq)]
pub struct FiredAlert {
    /// `Get-CIPPAlertAppSecretExpiry`.
    pub cmdlet: String,
    /// What tells it from others of the check: base64, upper and lower case differ.
    pub content_hash: String,
    /// The account, id or message that the hash is made of; the first 200 characters.
    pub preview: Option<String>,
    /// What the person who set the check up wrote to it.
    pub comment: Option<String>,
    /// When the check last found it; older deployments say the day only.
    pub last_seen_at: Option<Timestamp>,
    /// Somebody snoozed it in CIPP, or it is over. Older deployments leave such a row out.
    pub is_quiet: bool,
    pub raw: Value,
}

impl FiredAlert {
    pub(crate) fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let key = |name: &str| {
            let text = at.text(name).filter(|it| it.chars().count() <= KEY_CHARS_MAX);
            text.ok_or_else(|| {
                VendorError::shape(format!("$.{name}"), "missing, or longer than a key may be")
            })
        };
        let is = |word: &str| at.text("Status").is_some_and(|status| status.eq_ignore_ascii_case(word));
        Ok(Self {
            cmdlet: key("CmdletName")?,
            content_hash: key("ContentHash")?,
            preview: at.text("ContentPreview"),
            comment: at.text("AlertComment"),
            last_seen_at: at.time("LastSeen").or_else(|| day(at)),
            is_quiet: is("Resolved") || is("Snoozed"),
            raw,
        })
    }

    /// Unlike every other one of its tenant.
    pub fn key(&self) -> String {
        format!("{}:{}", self.cmdlet, self.content_hash)
    }
}

/// `LastRun` is a day without dashes, which would pass for seconds since 1970.
fn day(at: Fields<'_>) -> Option<Timestamp> {
    let sent = match at.get("LastRun")? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    if sent.len() != DAY_DIGITS || !sent.bytes().all(|it| it.is_ascii_digit()) {
        return at.time("LastRun");
    }
    let date = Date::strptime("%Y%m%d", &sent).ok()?;
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// A rule that somebody set up: a check that runs again and again, or a watch over the audit log.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRule {
    pub id: String,
    /// Default domains; names of groups, too, where it is for a group.
    pub tenants: Vec<String>,
    /// It names a group of tenants, whose members the list does not tell.
    pub has_groups: bool,
    pub excluded: Vec<String>,
    pub is_for_all: bool,
    /// What it looks for, in words.
    pub conditions: Option<String>,
    /// `1d`, `When received`.
    pub repeats_every: Option<String>,
    pub raw: Value,
}

impl AlertRule {
    pub(crate) fn read(raw: Value) -> Result<Self, VendorError> {
        let at = Fields(&raw);
        let id = at.text("RowKey").ok_or_else(|| VendorError::shape("$.RowKey", "an id is missing"))?;
        let tenants = named(at, "Tenants");
        Ok(Self {
            id,
            has_groups: at.list("Tenants").into_iter().flatten().any(is_group),
            is_for_all: tenants.iter().any(|it| ALL_TENANTS.iter().any(|all| it.eq_ignore_ascii_case(all))),
            tenants,
            excluded: named(at, "excludedTenants"),
            conditions: at.text("Conditions"),
            repeats_every: at.text("RepeatsEvery"),
            raw,
        })
    }

    /// Whether it watches the tenant of this default domain; `None` where that hangs on a group.
    pub fn watches(&self, domain: &str) -> Option<bool> {
        let has = |all: &[String]| all.iter().any(|it| it.eq_ignore_ascii_case(domain));
        if has(&self.excluded) {
            return Some(false);
        }
        let is_named = self.is_for_all || has(&self.tenants);
        if is_named || !self.has_groups { Some(is_named) } else { None }
    }
}

fn is_group(tenant: &Value) -> bool {
    Fields(tenant).text("type").is_some_and(|it| it.eq_ignore_ascii_case("Group"))
}

/// One text, texts, or objects with a value.
fn named(at: Fields<'_>, name: &str) -> Vec<String> {
    let mut names = at.texts(name);
    let objects = at.list(name).unwrap_or_default().iter();
    names.extend(objects.filter_map(|it| Fields(it).text("value").or_else(|| Fields(it).text("label"))));
    if let Some(one) = at.get(name) {
        names.extend(Fields(one).text("value"));
    }
    names.iter().map(|it| it.trim().to_lowercase()).filter(|it| !it.is_empty()).collect()
}

impl Cipp {
    /// What the checks of the deployment have found in one tenant, by the tenant's default domain. Most tenants have nothing.
    pub async fn alert_results(&self, domain: &str) -> Walk<FiredAlert> {
        let rows = match self.rows(FIRED.about(domain), FIRED).await {
            Ok(rows) => rows,
            Err(error) => return Walk::stopped(error),
        };
        let of = |row: &Value| Fields(row).text("Tenant");
        // Nothing of another tenant is ever taken for this one's.
        if let Some(other) = rows.value.iter().filter_map(of).find(|it| !it.eq_ignore_ascii_case(domain)) {
            let came = format!("asked for {domain}, and {other} came");
            return Walk::stopped(VendorError::shape("$[*].Tenant", came));
        }
        crate::client::walk(rows, FIRED, FiredAlert::read, FiredAlert::key)
    }

    /// The rules that people set up, over all tenants.
    pub async fn alerts_queue(&self) -> Walk<AlertRule> {
        self.list(RULES.call(), RULES, AlertRule::read, |it| it.id.clone()).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fired(row: Value) -> Option<FiredAlert> {
        FiredAlert::read(row).ok()
    }

    #[test]
    fn a_day_is_no_count_of_seconds_and_a_snoozed_one_is_quiet() {
        let old = json!({"CmdletName": "Get-CIPPAlertMFAAdmins", "Tenant": "a.example", "LastRun": "20260310", "ContentHash": "aB/+=", "ContentPreview": "ada@a.example"});
        let old = fired(old).expect("an alert");
        assert_eq!(old.last_seen_at, "2026-03-10T00:00:00Z".parse().ok());
        assert_eq!((old.is_quiet, old.key().as_str()), (false, "Get-CIPPAlertMFAAdmins:aB/+="));
        let new = |status: &str| {
            fired(json!({"cmdletName": "x", "ContentHash": "y", "Status": status, "LastSeen": "2026-03-10T10:20:30.1234567Z"}))
                .expect("an alert")
        };
        assert_eq!(new("Open").last_seen_at.map(Timestamp::as_second), Some(1_773_138_030));
        let quiet: Vec<bool> =
            ["Open", "Acknowledged", "Snoozed", "resolved"].map(|it| new(it).is_quiet).into();
        assert_eq!(quiet, [false, false, true, true]);
        let at = |run: Value| {
            fired(json!({"CmdletName": "x", "ContentHash": "y", "LastRun": run}))
                .and_then(|it| it.last_seen_at)
        };
        assert_eq!((at(json!("20261399")), at(json!(20_260_310))), (None, old.last_seen_at));
    }

    #[test]
    fn a_row_without_a_key_or_with_a_boundless_one_is_unreadable() {
        let long = "x".repeat(KEY_CHARS_MAX + 1);
        for row in [
            json!({"CmdletName": "x"}),
            json!({"ContentHash": "y"}),
            json!({"CmdletName": "x", "ContentHash": long}),
            json!({"CmdletName": "x", "ContentHash": 7}),
            json!("text"),
        ] {
            assert_eq!(fired(row.clone()), None, "{row}");
        }
    }

    #[test]
    fn whom_a_rule_watches_comes_in_every_form() {
        let rule = |tenants: Value, excluded: Value| {
            AlertRule::read(json!({"RowKey": "1", "Tenants": tenants, "excludedTenants": excluded}))
                .expect("a rule")
        };
        let one = "a.example";
        for (tenants, excluded, watches) in [
            (json!("AllTenants"), json!([]), Some(true)),
            (json!(["*All Tenants"]), json!([{"value": "A.example"}]), Some(false)),
            (json!("A.example"), json!(null), Some(true)),
            (json!([{"label": "A", "value": "a.example", "type": "Tenant"}]), json!([]), Some(true)),
            (json!({"label": "A", "value": "a.example"}), json!([]), Some(true)),
            (json!(["b.example"]), json!([]), Some(false)),
            (json!([{"label": "East", "value": "7", "type": "Group"}]), json!([]), None),
            (json!(null), json!(null), Some(false)),
        ] {
            assert_eq!(rule(tenants.clone(), excluded).watches(one), watches, "{tenants}");
        }
        assert!(AlertRule::read(json!({"Tenants": "AllTenants"})).is_err());
    }
}
