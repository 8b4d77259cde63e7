//! Records of the vendor as rows of ours.
use std::collections::BTreeMap;

use ::graph::{AccessPolicy, CommercialSubscription, LicenseState, ManagedDevice, Raw, SubscribedSku, User};
use serde_json::Value;
use store::{
    accounts::{AccountRow, License, LicenseSource},
    managed_devices::ManagedDeviceRow,
    tenants::{PolicyRow, SkuRow, SkuTerm},
};
use uuid::Uuid;

use super::sku_names;
use crate::sync::device_row::{content_hash, text, without_nul};

/// Changes with every sign-in and is no content.
const SIGN_INS: &str = "signInActivity";
/// Changes with every check-in of a device and is no content.
const LAST_SYNC: &str = "lastSyncDateTime";

/// `None`: it says neither who it is nor whether it may sign in.
pub(super) fn account(user: &User) -> Option<AccountRow> {
    let user_principal_name = text(user.user_principal_name.as_deref()?);
    let account_enabled = user.account_enabled?;
    let name = user.display_name.as_deref().map(text).filter(|name| !name.trim().is_empty());
    let mut raw = value(&user.raw);
    let content_hash = {
        if let Value::Object(members) = &mut raw {
            members.remove(SIGN_INS);
        }
        content_hash(&raw)
    };
    let licenses = licenses(user);
    Some(AccountRow {
        external_id: user.id.clone(),
        display_name: name.unwrap_or_else(|| user_principal_name.clone()),
        user_principal_name,
        mail: user.mail.as_deref().map(text),
        user_type: if user.is_guest() { "guest" } else { "member" },
        account_enabled,
        created_in_vendor_at: user.created_at,
        last_sign_in_at: user.sign_ins.and_then(|it| it.last()),
        department: user.department.as_deref().map(text),
        job_title: user.job_title.as_deref().map(text),
        is_synced: user.is_synced,
        sku_ids: licenses.iter().map(|license| license.sku_id).collect(),
        raw,
        content_hash,
        licenses,
    })
}

/// Each license once, however it came to the account: since its first way, by a group only when every way is one.
fn licenses(user: &User) -> Vec<License> {
    let assigned = user.licenses.iter().flatten().map(|license| license.sku_id);
    let held: BTreeMap<Uuid, License> = assigned
        .map(|sku_id| {
            let ways: Vec<&LicenseState> =
                user.license_states.iter().flatten().filter(|state| state.sku_id == sku_id).collect();
            let is_group = !ways.is_empty() && ways.iter().all(|way| way.by_group.is_some());
            let license = License {
                sku_id,
                assigned_at: ways.iter().filter_map(|way| way.updated_at).min(),
                source: if is_group { LicenseSource::Group } else { LicenseSource::Direct },
                error: ways.iter().find_map(|way| way.error.as_deref()).map(text),
            };
            (sku_id, license)
        })
        .collect();
    held.into_values().collect()
}

/// At most so many terms of one license are kept: those that end last.
const TERMS_MAX: usize = 200;

/// `purchases`: all of the tenant's, if they were read.
pub(super) fn sku(sku: &SubscribedSku, purchases: Option<&[CommercialSubscription]>) -> SkuRow {
    let raw = value(&sku.raw);
    let part_number = text(&sku.part_number);
    SkuRow {
        sku_id: sku.sku_id,
        name: sku_names::name(&part_number).map_or_else(|| part_number.clone(), str::to_owned),
        part_number,
        purchased: count(sku.prepaid.enabled),
        suspended: count(sku.prepaid.suspended),
        warning: count(sku.prepaid.warning),
        assigned: count(sku.consumed),
        status: text(sku.capability_status.as_deref().unwrap_or("unknown")),
        content_hash: content_hash(&raw),
        raw,
        terms: purchases.map(|purchases| terms(sku.sku_id, purchases)),
    }
}

/// The last to end first.
fn terms(sku_id: Uuid, purchases: &[CommercialSubscription]) -> Vec<SkuTerm> {
    let ours = purchases.iter().filter(|purchase| purchase.sku_id == sku_id);
    let mut terms: Vec<SkuTerm> = ours
        .filter_map(|purchase| {
            let subscription = text(&purchase.id);
            Some(SkuTerm { subscription, seats: count(purchase.seats), until: purchase.term()? })
        })
        .collect();
    terms.sort_by(|one, other| {
        other.until.cmp(&one.until).then_with(|| one.subscription.cmp(&other.subscription))
    });
    terms.truncate(TERMS_MAX);
    terms
}

pub(super) fn policy(policy: &AccessPolicy) -> PolicyRow {
    let raw = value(&policy.raw);
    PolicyRow {
        external_id: policy.id.clone(),
        name: text(&policy.name),
        state: text(&policy.state),
        modified_at: policy.modified_at,
        content_hash: content_hash(&raw),
        raw,
    }
}

pub(super) fn managed_device(device: &ManagedDevice) -> ManagedDeviceRow {
    let mut raw = value(&device.raw);
    if let Value::Object(members) = &mut raw {
        members.remove(LAST_SYNC);
    }
    let said = |words: &Option<String>| words.as_deref().map(text);
    ManagedDeviceRow {
        external_id: device.id.clone(),
        name: said(&device.name),
        serial_number: said(&device.serial_number),
        entra_device_id: device.entra_device_id.as_deref().and_then(|id| id.parse().ok()),
        os_name: said(&device.os),
        os_version: said(&device.os_version),
        compliance: said(&device.compliance),
        is_encrypted: device.is_encrypted,
        owner_kind: said(&device.owner_kind),
        user_principal_name: said(&device.user_principal_name),
        manufacturer: said(&device.manufacturer),
        model: said(&device.model),
        last_sync_at: device.last_sync_at,
        enrolled_at: device.enrolled_at,
        content_hash: content_hash(&raw),
        raw,
    }
}

pub(super) fn value(raw: &Raw) -> Value {
    serde_json::from_str(raw.get()).map(without_nul).unwrap_or_default()
}

fn count(sent: i64) -> i32 {
    i32::try_from(sent.max(0)).unwrap_or(i32::MAX)
}
