//! `deviceManagement/managedDevices` as Intune writes it.
use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::errors::Refusal;
use super::intune::{Enrollment, Seen};
use super::paging;
use super::render::time;
use super::tenants::Tenant;
use super::{Ask, Outcome, Reply};

const NEVER: &str = "0001-01-01T00:00:00Z";
const ROWS_MAX: usize = 1_000;

fn refuse_without_intune(tenant: &Tenant) -> Result<(), Refusal> {
    if tenant.has_intune() {
        return Ok(());
    }
    let message = "{\"_version\":3,\"Message\":\"Request not applicable to target tenant.\"}";
    Err(Refusal::new(StatusCode::BAD_REQUEST, "BadRequest", message))
}

pub(crate) fn list(tenant: &Tenant, ask: &Ask<'_>) -> Outcome {
    refuse_without_intune(tenant)?;
    if ask.param("$skip").is_some() {
        return Err(Refusal::bad("The query option '$skip' is not supported."));
    }
    let select = ask.select();
    let rows = &tenant.enrolled;
    // Its pages are larger than those of the directory.
    let size = match ask.param("$top") {
        None => ROWS_MAX,
        Some(top) => top
            .parse::<usize>()
            .ok()
            .filter(|rows| *rows > 0)
            .ok_or_else(|| Refusal::bad("Invalid page size."))?,
    };
    paging::page_of(ask, tenant, rows.len(), size.min(ROWS_MAX), |range| {
        rows[range].iter().map(|record| device(tenant, record, &select, ask.now)).collect()
    })
}

pub(crate) fn one(tenant: &Tenant, id: &str, ask: &Ask<'_>) -> Outcome {
    refuse_without_intune(tenant)?;
    let found = tenant.enrolled.iter().find(|record| record.id.to_string().eq_ignore_ascii_case(id));
    let record = found.ok_or_else(|| Refusal::not_found(id))?;
    Ok(Reply::Json(device(tenant, record, &ask.select(), ask.now)))
}

fn device(tenant: &Tenant, record: &Enrollment, select: &[&str], now: Timestamp) -> Value {
    let person = record.person.map(|index| tenant.person(index));
    let hour = now.as_second() - now.as_second().rem_euclid(3_600);
    let seen = match record.seen {
        Seen::Never => NEVER.to_owned(),
        Seen::Lately(ago) => time(hour - ago),
        Seen::At(at) => time(at),
    };
    let version = match record.os {
        "iOS" => "18.5",
        "macOS" => "15.5 (24F74)",
        _ => "10.0.26100.4351",
    };
    let whole = json!({
        "id": record.id,
        "deviceName": record.name,
        "serialNumber": record.serial,
        "azureADDeviceId": record.entra_device_id,
        "operatingSystem": record.os,
        "osVersion": version,
        "complianceState": if record.is_compliant { "compliant" } else { "noncompliant" },
        "isEncrypted": record.is_encrypted,
        "managedDeviceOwnerType": if record.is_personal { "personal" } else { "company" },
        "userPrincipalName": person.as_ref().map_or("", |it| it.user_principal_name.as_str()),
        "userId": person.as_ref().map(|it| it.id),
        "userDisplayName": person.as_ref().map(|it| it.display_name.as_str()),
        "lastSyncDateTime": seen,
        "enrolledDateTime": time(record.enrolled_s),
        "manufacturer": record.make.0,
        "model": record.make.1,
        "managementAgent": "mdm",
        "totalStorageSpaceInBytes": 0,
        "freeStorageSpaceInBytes": 0,
    });
    if select.is_empty() {
        return whole;
    }
    let chosen: Map<String, Value> = select
        .iter()
        .map(|name| ((*name).to_owned(), whole.get(*name).cloned().unwrap_or_default()))
        .collect();
    Value::Object(chosen)
}
