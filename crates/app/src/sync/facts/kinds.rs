//! The kinds of facts: which report, how often, what is kept of it, and who else can say that something is gone.
use std::{
    fmt::Debug,
    sync::atomic::{AtomicUsize, Ordering},
};

use connector_api::Walk;
use kernel::{Timestamp, id::CustomerId};
use ninjaone::{
    Antivirus, BackupUsage, DeviceFields, DeviceHealth, OsPatch, OwnList, Report, Software, Volume,
};
use pg::{ActorTx, PgError};
use serde::Serialize;
use store::device_facts::{
    self, AntivirusRow, BackupRow, CustomFieldRow, FactPart, HealthRow, PatchRow, ProgramRow, VolumeRow,
};

use super::{
    judge::{Fall, Listed, Verdict},
    rows,
};
use crate::sync::{
    confirm::{self, ask_each},
    context::Cx,
    error::SyncError,
    run::PartName,
};

const HOUR_S: i64 = 3_600;

pub(in crate::sync) trait Kind: Send + Sync {
    type Row: Report + Sync;
    type Kept: Serialize + Debug + Send + Sync;
    const PART: PartName;
    const FACT: FactPart;
    const INTERVAL_S: i64;
    const HAS_FILTER: bool = <Self::Row as Report>::HAS_FILTER;
    /// Of a run that is not a full one, so that a long report does not keep everything else waiting: the rest is due in the next one.
    const SLICES_PER_RUN_MAX: usize = 1_000;

    /// The rows of the devices that `filter` keeps.
    fn fetch(
        cx: &Cx<'_>,
        filter: Option<&str>,
        pages_max: u32,
    ) -> impl Future<Output = Walk<Self::Row>> + Send {
        cx.client.report::<Self::Row>(filter, pages_max)
    }

    fn device_id(row: &Self::Row) -> i64;
    /// Rows of one device.
    fn keep(device: &str, rows: Vec<Self::Row>) -> Vec<Self::Kept>;

    /// What somebody else says about a fall; `None` where nobody else can tell.
    fn witness(
        _cx: &Cx<'_>,
        _to_ask: &AtomicUsize,
        _customer: CustomerId,
        _fall: &Fall,
        _listed: &Listed<Self::Kept>,
    ) -> impl Future<Output = Result<Option<Verdict>, SyncError>> + Send {
        std::future::ready(Ok(None))
    }

    /// With the rows of a customer, in their transaction.
    fn after(
        _tx: &ActorTx,
        _customer: CustomerId,
        _at: Timestamp,
    ) -> impl Future<Output = Result<(), PgError>> + Send {
        std::future::ready(Ok(()))
    }
}

/// Every device's own list, where few enough devices fell: only a list that shows no more than the report does confirms it.
async fn ask_own<K: Kind>(
    cx: &Cx<'_>,
    to_ask: &AtomicUsize,
    fall: &Fall,
    listed: &Listed<K::Kept>,
) -> Option<Verdict>
where
    K::Row: OwnList,
{
    let wanted = fall.devices.len();
    let takes = |left: usize| left.checked_sub(wanted);
    to_ask.fetch_update(Ordering::Relaxed, Ordering::Relaxed, takes).ok()?;
    let ask = |device: String| async move {
        let Ok(id) = device.parse() else { return confirm::Verdict::Unknown };
        match cx.client.own_list::<K::Row>(id).await {
            Ok(own) if own.completeness.is_complete() => {
                confirm::Verdict::There((K::keep(&device, own.value).len(), device))
            }
            Ok(_) => confirm::Verdict::Unknown,
            Err(connector_api::VendorError::NotFound) => confirm::Verdict::Gone,
            Err(_) => confirm::Verdict::Unknown,
        }
    };
    let (mut lacked, mut unknown) = (0, 0);
    for verdict in ask_each(fall.devices.clone(), ask).await {
        match verdict {
            confirm::Verdict::There((rows, device)) if rows > listed.of(&device).len() => lacked += 1,
            confirm::Verdict::There(_) | confirm::Verdict::Gone => {}
            confirm::Verdict::Unknown => unknown += 1,
        }
    }
    Some(if lacked > 0 {
        Verdict::Partial(format!("the report lacked rows of {lacked} devices whose own lists have them"))
    } else if unknown > 0 {
        Verdict::Partial(format!("{fall}; {unknown} devices could not be asked for their own lists"))
    } else {
        Verdict::Believed
    })
}

pub(in crate::sync) struct HealthOf;

impl Kind for HealthOf {
    type Row = DeviceHealth;
    type Kept = HealthRow;
    const PART: PartName = PartName::Health;
    const FACT: FactPart = FactPart::Health;
    const INTERVAL_S: i64 = HOUR_S;

    fn device_id(row: &DeviceHealth) -> i64 {
        row.device_id
    }

    fn keep(device: &str, rows: Vec<DeviceHealth>) -> Vec<HealthRow> {
        rows::health(device, rows)
    }
}

pub(in crate::sync) struct AntivirusOf;

impl Kind for AntivirusOf {
    type Row = Antivirus;
    type Kept = AntivirusRow;
    const PART: PartName = PartName::Antivirus;
    const FACT: FactPart = FactPart::Antivirus;
    const INTERVAL_S: i64 = HOUR_S;

    fn device_id(row: &Antivirus) -> i64 {
        row.device_id
    }

    fn keep(device: &str, rows: Vec<Antivirus>) -> Vec<AntivirusRow> {
        rows::antivirus(device, rows)
    }
}

pub(in crate::sync) struct PatchesOf;

impl Kind for PatchesOf {
    type Row = OsPatch;
    type Kept = PatchRow;
    const PART: PartName = PartName::Patches;
    const FACT: FactPart = FactPart::Patches;
    const INTERVAL_S: i64 = HOUR_S;

    fn device_id(row: &OsPatch) -> i64 {
        row.device_id
    }

    fn keep(device: &str, rows: Vec<OsPatch>) -> Vec<PatchRow> {
        rows::patches(device, rows)
    }

    /// Patches fall together when they are installed. The report of health counts them as well: it was read just before.
    async fn witness(
        cx: &Cx<'_>,
        _to_ask: &AtomicUsize,
        customer: CustomerId,
        fall: &Fall,
        listed: &Listed<PatchRow>,
    ) -> Result<Option<Verdict>, SyncError> {
        let tx = cx.customer(customer).await?;
        let counted =
            device_facts::counted_patches(&tx, customer, cx.claim.integration, cx.claim.run).await?;
        tx.rollback().await?;
        let open = |device: &str| {
            let rows = listed.of(device).iter();
            rows.filter(|row| matches!(row.standing, "pending" | "failed")).count() as u64
        };
        let agrees = |device: &String| counted.get(device).is_some_and(|count| open(device) >= *count);
        Ok(fall.devices.iter().all(agrees).then_some(Verdict::Believed))
    }
}

pub(in crate::sync) struct VolumesOf;

impl Kind for VolumesOf {
    type Row = Volume;
    type Kept = VolumeRow;
    const PART: PartName = PartName::Volumes;
    const FACT: FactPart = FactPart::Volumes;
    const INTERVAL_S: i64 = HOUR_S;

    fn device_id(row: &Volume) -> i64 {
        row.device_id.unwrap_or_default()
    }

    fn keep(device: &str, rows: Vec<Volume>) -> Vec<VolumeRow> {
        rows::volumes(device, rows)
    }

    async fn witness(
        cx: &Cx<'_>,
        to_ask: &AtomicUsize,
        _customer: CustomerId,
        fall: &Fall,
        listed: &Listed<VolumeRow>,
    ) -> Result<Option<Verdict>, SyncError> {
        Ok(ask_own::<Self>(cx, to_ask, fall, listed).await)
    }
}

pub(in crate::sync) struct SoftwareOf;

impl Kind for SoftwareOf {
    type Row = Software;
    type Kept = ProgramRow;
    const PART: PartName = PartName::Software;
    const FACT: FactPart = FactPart::Software;
    const INTERVAL_S: i64 = 24 * HOUR_S;
    const SLICES_PER_RUN_MAX: usize = 4;

    fn device_id(row: &Software) -> i64 {
        row.device_id
    }

    fn keep(device: &str, rows: Vec<Software>) -> Vec<ProgramRow> {
        rows::programs(device, rows)
    }

    async fn witness(
        cx: &Cx<'_>,
        to_ask: &AtomicUsize,
        _customer: CustomerId,
        fall: &Fall,
        listed: &Listed<ProgramRow>,
    ) -> Result<Option<Verdict>, SyncError> {
        Ok(ask_own::<Self>(cx, to_ask, fall, listed).await)
    }

    async fn after(tx: &ActorTx, customer: CustomerId, at: Timestamp) -> Result<(), PgError> {
        device_facts::count_titles(tx, customer, at).await
    }
}

pub(in crate::sync) struct BackupsOf;

impl Kind for BackupsOf {
    type Row = BackupUsage;
    type Kept = BackupRow;
    const PART: PartName = PartName::Backups;
    const FACT: FactPart = FactPart::Backups;
    const INTERVAL_S: i64 = 6 * HOUR_S;

    fn device_id(row: &BackupUsage) -> i64 {
        row.device_id
    }

    fn keep(device: &str, rows: Vec<BackupUsage>) -> Vec<BackupRow> {
        rows::backups(device, rows)
    }
}

pub(in crate::sync) struct CustomFieldsOf;

impl Kind for CustomFieldsOf {
    type Row = DeviceFields;
    type Kept = CustomFieldRow;
    const PART: PartName = PartName::CustomFields;
    const FACT: FactPart = FactPart::CustomFields;
    const INTERVAL_S: i64 = 6 * HOUR_S;

    /// By way of the definitions: they say which values are secrets, and those never get here.
    async fn fetch(cx: &Cx<'_>, filter: Option<&str>, pages_max: u32) -> Walk<DeviceFields> {
        cx.client.device_fields(filter, pages_max).await
    }

    fn device_id(row: &DeviceFields) -> i64 {
        row.device_id
    }

    fn keep(device: &str, rows: Vec<DeviceFields>) -> Vec<CustomFieldRow> {
        rows::custom_fields(device, rows)
    }
}
