//! What Microsoft allows one application in one tenant, by the service that answers. Source: Graph's throttling limits.
use connector_api::{Call, DayQuota, Per, Quota};

const DIRECTORY: &str = "directory";
const REPORTS: &str = "reports";
const SECURITY: &str = "security";
const INTUNE: &str = "intune";
pub(crate) const SHAREPOINT: &str = "sharepoint";

/// The directory of a small tenant takes 3,500 units in 10 seconds; SharePoint of the smallest 1,200 a minute. What is left of
/// them is for other instances of this application.
pub const QUOTAS: [Quota; 5] = [
    Quota::of(DIRECTORY, 3_000, 10_000),
    Quota::of(REPORTS, 5, 10_000),
    Quota::of(SECURITY, 150, 60_000),
    Quota::of(INTUNE, 1_600, 20_000),
    Quota::of(SHAREPOINT, 1_000, 60_000),
];
/// What SharePoint takes of one application in one small tenant in a day. Graph's directory has no limit of a day.
pub const SHAREPOINT_DAY: DayQuota =
    DayQuota { class: Some(SHAREPOINT), units_max: 1_200_000, per: Per::Tenant };
/// Of one tenant, so that eight calls under way are of more than one.
pub const TENANT_CONCURRENCY_MAX: usize = 4;

/// Says of a call which quota it takes from. Inner calls of a batch count one by one.
pub(crate) fn classed(call: Call) -> Call {
    let (class, units) = class_of(call.path());
    let units = units * call.units();
    call.class(class, units)
}

/// A list of accounts costs two units, of licenses three; a list of files two, its permissions five; one item, a page of changes
/// since a link, and a download one.
fn class_of(path: &str) -> (&'static str, u32) {
    let has = |part: &str| path.contains(part);
    if has("/reports/") || has("/auditLogs/") {
        (REPORTS, 1)
    } else if has("/security/") {
        (SECURITY, 1)
    } else if has("/deviceManagement/") {
        (INTUNE, 1)
    } else if has("/sites") || has("/drives/") {
        let is_cheap = has("/content") || has("token=") || (has("/items/") && !has("/permissions"));
        (
            SHAREPOINT,
            if has("/permissions") {
                5
            } else if is_cheap {
                1
            } else {
                2
            },
        )
    } else if has("/subscribedSkus") {
        (DIRECTORY, 3)
    } else if has("/$batch") {
        (DIRECTORY, 1)
    } else {
        (DIRECTORY, 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_own_quota() {
        for (path, class, units) in [
            ("/v1.0/users", DIRECTORY, 2),
            ("/v1.0/subscribedSkus", DIRECTORY, 3),
            ("https://graph.microsoft.com/v1.0/users?$skiptoken=x", DIRECTORY, 2),
            ("/v1.0/reports/authenticationMethods/userRegistrationDetails", REPORTS, 1),
            ("/v1.0/security/secureScores", SECURITY, 1),
            ("/v1.0/deviceManagement/managedDevices", INTUNE, 1),
            ("/v1.0/sites/getAllSites", SHAREPOINT, 2),
            ("/v1.0/drives/b!1/items/2/permissions", SHAREPOINT, 5),
            ("/v1.0/drives/b!1/items/2/content", SHAREPOINT, 1),
            ("https://graph.microsoft.com/v1.0/drives/b!1/root/delta?token=x", SHAREPOINT, 1),
        ] {
            assert_eq!(class_of(path), (class, units), "{path}");
            assert!(QUOTAS.iter().any(|quota| quota.class == Some(class)), "{class}");
        }
    }
}
