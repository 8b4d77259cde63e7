//! `auditLogs`: what was changed in a tenant and who signed in. Nothing is written down for it: both follow from what became of people
//! and their seats, so that an event is the same whenever it is asked for.
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::Refusal;
use super::paging;
use super::people::{Basics, Kind, LICENSED_GROUP};
use super::policies::group_id;
use super::render::time;
use super::skus::Sku;
use super::tenants::Tenant;
use super::{Ask, Outcome};
use crate::rng::Rng;
use crate::world::ActivityDelay;

const DAY_S: i64 = 86_400;
const KEPT_DAYS: i64 = 30;
const KEPT_DAYS_FREE: i64 = 7;
const LATE_S: i64 = 40 * 60;
const ROWS_MAX: usize = 999;
/// The vendor's number for a wrong password, and for a second factor that is asked for.
const WRONG_PASSWORD: i64 = 50_126;
const SECOND_FACTOR: i64 = 50_074;
const SWITCHED_OFF: i64 = 50_057;
/// A wrong password is typed so long before the right one.
const BEFORE_S: i64 = 120;

/// The times that a filter names, both included.
struct Between {
    from_s: i64,
    to_s: i64,
}

impl Between {
    /// `member ge TIME and member le TIME`, either part alone, or nothing; cut to what is kept and has appeared.
    fn of(tenant: &Tenant, ask: &Ask<'_>, member: &str, delay: ActivityDelay) -> Result<Self, Refusal> {
        for (name, _) in &ask.query {
            if !["$filter", "$top", "$skiptoken", "$orderby"].contains(&name.as_str()) {
                return Err(Refusal::bad(&format!("The query option '{name}' is not supported.")));
            }
        }
        let kept_days = if tenant.has_premium() { KEPT_DAYS } else { KEPT_DAYS_FREE };
        let late_s = if delay == ActivityDelay::Late { LATE_S } else { 0 };
        let now_s = ask.now.as_second();
        let mut between = Self { from_s: now_s - kept_days * DAY_S, to_s: now_s - late_s };
        for part in ask.param("$filter").unwrap_or_default().split(" and ").filter(|part| !part.is_empty()) {
            let words: Vec<&str> = part.split_whitespace().collect();
            let [name, operator, at] = words.as_slice() else {
                return Err(Refusal::bad("Invalid filter clause."));
            };
            let at: Timestamp = at.parse().map_err(|_| Refusal::bad("Invalid filter clause."))?;
            match (*name == member, *operator) {
                // Events are of whole seconds.
                (true, "ge") => {
                    let whole = at.as_second() + i64::from(at.subsec_nanosecond() > 0);
                    between.from_s = between.from_s.max(whole);
                }
                (true, "le") => between.to_s = between.to_s.min(at.as_second()),
                _ => return Err(Refusal::bad("Unsupported filter clause.")),
            }
        }
        Ok(between)
    }

    fn holds(&self, at_s: i64) -> bool {
        (self.from_s..=self.to_s).contains(&at_s)
    }
}

/// The newest first, as the vendor sends them.
fn listed(tenant: &Tenant, ask: &Ask<'_>, mut events: Vec<(i64, Value)>) -> Outcome {
    events.sort_by_key(|(at_s, _)| std::cmp::Reverse(*at_s));
    let rows_max = paging::size(ask, ROWS_MAX, ROWS_MAX)?;
    paging::page_of(ask, tenant, events.len(), rows_max, |range| {
        events[range].iter().map(|(_, event)| event.clone()).collect()
    })
}

pub(crate) fn directory_audits(tenant: &Tenant, ask: &Ask<'_>, delay: ActivityDelay) -> Outcome {
    let between = Between::of(tenant, ask, "activityDateTime", delay)?;
    let mut log = Log { tenant, between, events: Vec::new() };
    for index in 0..tenant.count {
        let basics = tenant.basics(index);
        let edit = tenant.edits.get(&index);
        let id = tenant.user_id(index);
        let disabled = edit.and_then(|edit| edit.disabled).map(Timestamp::as_second);
        let left = edit.and_then(|edit| edit.left).map(Timestamp::as_second);
        let held: Vec<_> = basics.licenses.iter().map(|held| (held.sku, held.assigned_s)).collect();
        let times = held.iter().map(|(_, at_s)| *at_s).chain([basics.created_s]).chain(disabled).chain(left);
        if !times.into_iter().any(|at_s| log.between.holds(at_s)) {
            continue;
        }
        let name = tenant.person(index).user_principal_name;
        log.add(basics.created_s, (id, &name), "Add user", &[("AccountEnabled", "[false]", "[true]")]);
        for (sku, at_s) in held {
            log.seat(at_s, (id, &name), sku, true);
        }
        if let Some(at_s) = disabled {
            log.add(at_s, (id, &name), "Disable account", &[("AccountEnabled", "[true]", "[false]")]);
        }
        if let Some(at_s) = left {
            log.add(at_s, (id, &name), "Delete user", &[]);
        }
    }
    for seat in &tenant.retired {
        let whose = (seat.user_id, seat.user_principal_name.as_str());
        log.seat(seat.assigned_s, whose, seat.sku, true);
        log.seat(seat.removed.as_second(), whose, seat.sku, false);
    }
    let events = log.events;
    listed(tenant, ask, events)
}

struct Log<'a> {
    tenant: &'a Tenant,
    between: Between,
    events: Vec<(i64, Value)>,
}

impl Log<'_> {
    fn seat(&mut self, at_s: i64, whose: (Uuid, &str), sku: Sku, is_given: bool) {
        let entry = format!(
            "[\r\n  \"[SkuName={}, AccountId={}, SkuId={}, DisabledPlans=[]]\"\r\n]",
            sku.part_number(),
            self.tenant.id,
            sku.id()
        );
        let (old, new) = if is_given { ("[]", entry.as_str()) } else { (entry.as_str(), "[]") };
        let names = "\"AssignedLicense, AssignedPlan\"";
        let properties = [("AssignedLicense", old, new), ("Included Updated Properties", "", names)];
        self.add(at_s, whose, "Change user license", &properties);
    }

    fn add(
        &mut self,
        at_s: i64,
        (id, name): (Uuid, &str),
        activity: &str,
        properties: &[(&str, &str, &str)],
    ) {
        if !self.between.holds(at_s) {
            return;
        }
        let event = event_id(self.tenant, id, at_s, &format!("{activity}{properties:?}"));
        let property = |(name, old, new): &(&str, &str, &str)| json!({"displayName": name, "oldValue": old, "newValue": new});
        let by_group = self.tenant.is_synced && activity == "Change user license";
        let operation = match activity {
            "Add user" => "Add",
            "Delete user" => "Delete",
            _ => "Update",
        };
        self.events.push((
            at_s,
            json!({
                "id": format!("Directory_{event}"), "category": "UserManagement", "correlationId": event, "result": "success", "resultReason": "",
                "activityDisplayName": activity, "activityDateTime": time(at_s), "loggedByService": "Core Directory", "operationType": operation,
                "initiatedBy": initiated_by(self.tenant, id, by_group),
                "targetResources": [{"id": id, "displayName": null, "type": "User", "userPrincipalName": name, "groupType": null,
                    "modifiedProperties": properties.iter().map(property).collect::<Vec<_>>()}],
                "additionalDetails": [{"key": "User-Agent", "value": "EvoSTS"}],
            }),
        ));
    }
}

/// A group gives licenses, an administrator does the rest; some of it is done by a program.
fn initiated_by(tenant: &Tenant, whose: Uuid, by_group: bool) -> Value {
    if by_group {
        let name = "Microsoft Azure AD Group-Based Licensing";
        return json!({"user": null, "app": {"appId": null, "displayName": name, "servicePrincipalId": group_id(tenant, LICENSED_GROUP), "servicePrincipalName": null}});
    }
    if whose.as_u128().is_multiple_of(5) {
        return json!({"user": null, "app": {"appId": null, "displayName": "HR provisioning", "servicePrincipalId": Uuid::from_u128(tenant.id.as_u128() ^ 7), "servicePrincipalName": null}});
    }
    let index = tenant.layout.first_employee()
        + u32::from(whose.as_u128().is_multiple_of(2) && tenant.layout.employees > 1);
    let person = tenant.person(index);
    json!({"user": {"id": person.id, "displayName": null, "userPrincipalName": person.user_principal_name, "ipAddress": "198.51.100.7"}, "app": null})
}

fn event_id(tenant: &Tenant, whose: Uuid, at_s: i64, what: &str) -> Uuid {
    let what = what.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(131).wrapping_add(u64::from(byte)));
    let (high, low) = whose.as_u64_pair();
    Rng::of(tenant.salt ^ high ^ at_s.cast_unsigned(), low ^ what).uuid()
}

const PLACES: [(&str, &str); 4] =
    [("Columbus", "US"), ("Dayton", "US"), ("Toronto", "CA"), ("Cleveland", "US")];
const APPS: [&str; 4] =
    ["Microsoft Teams", "Outlook Mobile", "OfficeHome", "SharePoint Online Web Client Extensibility"];

pub(crate) fn sign_ins(tenant: &Tenant, ask: &Ask<'_>, delay: ActivityDelay) -> Outcome {
    if !tenant.has_premium() {
        return Err(Refusal::non_premium());
    }
    let between = Between::of(tenant, ask, "createdDateTime", delay)?;
    let mut events = Vec::new();
    for index in tenant.indices() {
        let basics = tenant.basics(index);
        if !basics.is_enabled && tenant.edits.get(&index).is_none_or(|edit| edit.disabled.is_none()) {
            continue;
        }
        person_sign_ins(tenant, &basics, &between, &mut events);
    }
    listed(tenant, ask, events)
}

/// The days on which somebody signs in: see [`Basics::last_sign_in_s`].
fn person_sign_ins(tenant: &Tenant, basics: &Basics, between: &Between, events: &mut Vec<(i64, Value)>) {
    let disabled_s = tenant.edits.get(&basics.index).and_then(|edit| edit.disabled).map(Timestamp::as_second);
    let mut person = None;
    // What goes before a sign-in may be asked for without it.
    let (mut end_s, start_s) = (between.to_s + BEFORE_S, between.from_s.max(basics.created_s));
    while end_s >= start_s {
        let whole = person.get_or_insert_with(|| tenant.person(basics.index));
        let Some((days, _)) = whole.signed_in else { return };
        let Ok(now) = Timestamp::from_second(end_s) else { return };
        let at_s = basics.last_sign_in_s(days, now);
        if at_s < start_s || at_s > end_s {
            return;
        }
        let tries = basics.index % 7 == 3 && (at_s / DAY_S) % 5 == 0;
        let asked = basics.kind != Kind::Service && basics.index % 4 == 1;
        // Whoever was switched off is turned away.
        let last = if disabled_s.is_some_and(|off_s| off_s <= at_s) { SWITCHED_OFF } else { 0 };
        for (at_s, code, happens) in
            [(at_s - BEFORE_S, WRONG_PASSWORD, tries), (at_s - 60, SECOND_FACTOR, asked), (at_s, last, true)]
        {
            if happens && between.holds(at_s) {
                events.push((at_s, sign_in(tenant, whole, at_s, code)));
            }
        }
        end_s = at_s - 1;
    }
}

fn sign_in(tenant: &Tenant, person: &super::people::Person, at_s: i64, code: i64) -> Value {
    let index = person.basics.index as usize;
    let id = event_id(tenant, person.id, at_s, "sign-in");
    let is_strange = code == WRONG_PASSWORD && index.is_multiple_of(2);
    let (city, country) = if is_strange { ("Lagos", "NG") } else { PLACES[(tenant.salt % 4) as usize] };
    let ip_address = if is_strange {
        format!("203.0.113.{}", index % 200)
    } else {
        format!("198.51.100.{}", tenant.salt % 200)
    };
    let reason = match code {
        WRONG_PASSWORD => "Error validating credentials due to invalid username or password.",
        SECOND_FACTOR => "Strong Authentication is required.",
        SWITCHED_OFF => "The user account is disabled.",
        _ => "Other.",
    };
    json!({
        "id": id, "createdDateTime": time(at_s), "userDisplayName": person.display_name, "userPrincipalName": person.user_principal_name, "userId": person.id,
        "appId": Uuid::from_u128(index as u128 % 4 + 1), "appDisplayName": APPS[index % 4], "ipAddress": ip_address, "clientAppUsed": "Browser", "correlationId": id,
        "conditionalAccessStatus": if code == 0 { "success" } else { "notApplied" }, "isInteractive": true,
        "riskDetail": "none", "riskLevelAggregated": "none", "riskLevelDuringSignIn": if is_strange { "medium" } else { "none" }, "riskState": "none",
        "resourceDisplayName": "Microsoft Graph",
        "status": {"errorCode": code, "failureReason": reason, "additionalDetails": null},
        "deviceDetail": {"deviceId": "", "displayName": "", "operatingSystem": "Windows 11", "browser": "Edge 140.0", "isCompliant": false, "isManaged": false, "trustType": ""},
        "location": {"city": city, "state": "", "countryOrRegion": country, "geoCoordinates": {}},
    })
}
