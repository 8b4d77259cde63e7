//! One run: its parts in order, its end, and who is told.
use kernel::{Timestamp, id::IntegrationId};
use pg::ActorTx;
use store::{
    integrations,
    notifications::{self, NewNotification},
    sync::{self, Claim, Part, SyncKind, SyncState},
};

use super::{
    activities::{self, Log, LogRead},
    conditions,
    context::Cx,
    devices,
    error::{Next, PartEnd, SyncError, still_mine, trouble},
    facts,
    hooks::SyncPoint,
    locations, machines, organizations, touched,
};

/// The parts of a run. What each vendor has, in order: [`PartName::NINJAONE`], [`PartName::REVIO`],
/// [`PartName::MICROSOFT`], [`PartName::CIPP`], [`PartName::SHAREPOINT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartName {
    Activities,
    Organizations,
    Locations,
    Devices,
    Conditions,
    Health,
    Antivirus,
    Patches,
    Volumes,
    Software,
    Backups,
    CustomFields,
    Products,
    Lines,
    Bills,
    Payments,
    Tickets,
    Tenants,
    Seats,
    People,
    Registrations,
    ManagedDevices,
    Policies,
    Settings,
    MailDomains,
    Forwardings,
    Alerts,
    Applications,
    SecureScore,
    DirectoryChanges,
    SignInLog,
    SecurityAlerts,
    Subscriptions,
    Sites,
    Items,
    Sharing,
    Texts,
}

impl PartName {
    /// The log comes first: see [`activities`]. Facts are of devices that are filed; health bears witness of patches.
    pub const NINJAONE: [Self; 12] = [
        Self::Activities,
        Self::Organizations,
        Self::Locations,
        Self::Devices,
        Self::Conditions,
        Self::Health,
        Self::Antivirus,
        Self::Patches,
        Self::Volumes,
        Self::Backups,
        Self::Software,
        Self::CustomFields,
    ];
    /// Lines name accounts and products; charges name lines.
    pub const REVIO: [Self; 6] =
        [Self::Organizations, Self::Products, Self::Lines, Self::Bills, Self::Payments, Self::Tickets];

    /// A subscription stands before accounts are read, so that nothing falls between. Accounts hang on their tenant; whether it has Entra ID P1 comes with its seats and says how accounts are read.
    pub const MICROSOFT: [Self; 13] = [
        Self::Organizations,
        Self::Tenants,
        Self::Subscriptions,
        Self::Seats,
        Self::People,
        Self::Registrations,
        Self::ManagedDevices,
        Self::Policies,
        Self::Applications,
        Self::SecureScore,
        Self::DirectoryChanges,
        Self::SignInLog,
        Self::SecurityAlerts,
    ];

    /// What is read of tenants that the vendor told of.
    pub const MICROSOFT_NOTIFIED: [Self; 5] =
        [Self::Subscriptions, Self::Seats, Self::People, Self::Registrations, Self::DirectoryChanges];

    /// Settings, mail and alerts hang on their tenant.
    pub const CIPP: [Self; 6] = [
        Self::Organizations,
        Self::Tenants,
        Self::Settings,
        Self::MailDomains,
        Self::Forwardings,
        Self::Alerts,
    ];
    /// Items hang on the libraries of their site; shares and words on items.
    pub const SHAREPOINT: [Self; 5] =
        [Self::Organizations, Self::Sites, Self::Items, Self::Sharing, Self::Texts];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Activities => "activities",
            Self::Organizations => "organizations",
            Self::Locations => "locations",
            Self::Devices => "devices",
            Self::Conditions => "conditions",
            Self::Health => "health",
            Self::Antivirus => "antivirus",
            Self::Patches => "patches",
            Self::Volumes => "volumes",
            Self::Software => "software",
            Self::Backups => "backups",
            Self::CustomFields => "custom_fields",
            Self::Products => "products",
            Self::Lines => "lines",
            Self::Bills => "bills",
            Self::Payments => "payments",
            Self::Tickets => "tickets",
            Self::Tenants => "tenants",
            Self::Seats => "seats",
            Self::People => "people",
            Self::Registrations => "registrations",
            Self::ManagedDevices => "managed_devices",
            Self::Policies => "policies",
            Self::Settings => "settings",
            Self::MailDomains => "mail_domains",
            Self::Forwardings => "forwardings",
            Self::Alerts => "alerts",
            Self::Applications => "applications",
            Self::SecureScore => "secure_score",
            Self::DirectoryChanges => "directory_changes",
            Self::SignInLog => "sign_in_log",
            Self::SecurityAlerts => "security_alerts",
            Self::Subscriptions => "subscriptions",
            Self::Sites => "sites",
            Self::Items => "items",
            Self::Sharing => "sharing",
            Self::Texts => "texts",
        }
    }
}

/// Runs, or goes on with, the claimed run until it is recorded as ended.
pub(super) async fn drive(cx: &Cx<'_>) -> Result<SyncState, SyncError> {
    cx.at(SyncPoint::RunStarted).await;
    let mut kind = cx.claim.kind;
    if kind == SyncKind::Incremental && mapping_changed(cx).await? {
        become_full(cx, "organizations were mapped or unmapped").await?;
        kind = SyncKind::Full;
    }
    loop {
        match parts(cx, kind).await? {
            Parts::Ended(log) => {
                machines::after_devices(cx, kind).await?;
                return finish(cx, Some(&log)).await;
            }
            Parts::TooMuch(reason) => {
                become_full(cx, &reason).await?;
                kind = SyncKind::Full;
            }
        }
    }
}

enum Parts {
    Ended(Log),
    TooMuch(String),
}

async fn parts(cx: &Cx<'_>, kind: SyncKind) -> Result<Parts, SyncError> {
    let known = open_parts(cx, &PartName::NINJAONE).await?;
    let mut log = Log::default();
    let mut next = Next::GoOn;
    for part in PartName::NINJAONE {
        if has_ended(&known, part) {
            if part == PartName::Activities {
                log = activities::recall(cx).await?;
            }
            continue;
        }
        if next == Next::SkipTheRest {
            skip_part(cx, part).await?;
            continue;
        }
        let end = match part {
            PartName::Activities => match activities::read(cx, kind).await? {
                LogRead::Ended(end, read) => {
                    log = read;
                    end
                }
                LogRead::TooMuch(reason) => return Ok(Parts::TooMuch(reason)),
            },
            PartName::Organizations => organizations::read(cx, kind).await?,
            PartName::Locations => locations::read(cx).await?,
            PartName::Devices if kind == SyncKind::Full => devices::read_all(cx).await?,
            PartName::Devices => touched::read_touched(cx, &log).await?,
            PartName::Conditions => conditions::read(cx).await?,
            PartName::Health => facts::read::<facts::HealthOf>(cx, kind).await?,
            PartName::Antivirus => facts::read::<facts::AntivirusOf>(cx, kind).await?,
            PartName::Patches => facts::read::<facts::PatchesOf>(cx, kind).await?,
            PartName::Volumes => facts::read::<facts::VolumesOf>(cx, kind).await?,
            PartName::Software => facts::read::<facts::SoftwareOf>(cx, kind).await?,
            PartName::Backups => facts::read::<facts::BackupsOf>(cx, kind).await?,
            PartName::CustomFields => facts::read::<facts::CustomFieldsOf>(cx, kind).await?,
            _ => unreachable!("no part of NinjaOne's"),
        };
        next = end.next;
        end_part(cx, part, &end).await?;
    }
    Ok(Parts::Ended(log))
}

/// Adds the parts of a run, and gives what is known of them.
pub(super) async fn open_parts<C: Sync>(cx: &Cx<'_, C>, names: &[PartName]) -> Result<Vec<Part>, SyncError> {
    let names: Vec<&str> = names.iter().map(|part| part.as_str()).collect();
    let tx = cx.provider().await?;
    sync::add_parts(&tx, cx.claim.run, &names).await?;
    let known = sync::parts(&tx, cx.claim.run).await?;
    tx.commit().await?;
    Ok(known)
}

pub(super) fn has_ended(known: &[Part], part: PartName) -> bool {
    known.iter().any(|it| it.part == part.as_str() && it.ended_at.is_some())
}

pub(super) async fn skip_part<C: Sync>(cx: &Cx<'_, C>, part: PartName) -> Result<(), SyncError> {
    let error = Some(trouble("skipped", "an earlier part failed for good"));
    end_part(cx, part, &PartEnd { state: SyncState::Cancelled, error, next: Next::SkipTheRest }).await
}

pub(super) async fn end_part<C: Sync>(
    cx: &Cx<'_, C>,
    part: PartName,
    end: &PartEnd,
) -> Result<(), SyncError> {
    let tx = cx.provider().await?;
    let ended =
        sync::finish_part(&tx, cx.claim, part.as_str(), end.state, end.error.as_ref(), cx.now()).await?;
    still_mine(ended)?;
    tx.commit().await?;
    log_part(cx, &cx.part(part).await?);
    cx.at(SyncPoint::PartEnded(part)).await;
    Ok(())
}

fn log_part<C: Sync>(cx: &Cx<'_, C>, part: &Part) {
    let reason = part.error.as_ref().and_then(|error| error["message"].as_str()).unwrap_or_default();
    tracing::info!(
        sync.run = %cx.claim.run, integration.id = %cx.claim.integration, sync.part = part.part, state = part.state.as_str(),
        rows.before = part.rows_before, rows.read = part.rows_read, rows.removed = part.rows_removed, reads = part.reads, reason,
        "a part of a synchronization ended"
    );
}

/// `log`: what was read of the vendor's log, where it has one.
pub(super) async fn finish<C: Sync>(cx: &Cx<'_, C>, log: Option<&Log>) -> Result<SyncState, SyncError> {
    let tx = cx.provider().await?;
    let parts = sync::parts(&tx, cx.claim.run).await?;
    let worst = parts.iter().max_by_key(|part| part.state).map_or(SyncState::Failed, |part| part.state);
    // Parts are cancelled only because another one failed.
    let state = if worst == SyncState::Cancelled { SyncState::Failed } else { worst };
    let error =
        parts.iter().find(|part| part.state == state).filter(|_| state != SyncState::Complete).map(|part| {
            let reason = part.error.as_ref().and_then(|error| error["message"].as_str()).unwrap_or_default();
            let kind = part.error.as_ref().and_then(|error| error["kind"].as_str()).unwrap_or(state.as_str());
            trouble(kind, &format!("{}: {reason}", part.part))
        });
    let devices_are_complete =
        parts.iter().any(|part| part.part == PartName::Devices.as_str() && part.state == SyncState::Complete);
    if devices_are_complete
        && let Some(log) = log
        && log.is_complete
        && let Some(highest) = log.highest
    {
        integrations::move_activity_cursor(&tx, cx.claim.integration, highest).await?;
    }
    if matches!(state, SyncState::Suspect | SyncState::Failed) {
        let reason = error.as_ref().and_then(|error| error["message"].as_str()).unwrap_or_default();
        tell_staff(&tx, cx.claim, state, reason, cx.now()).await?;
    }
    still_mine(sync::finish_run(&tx, cx.claim, state, error.as_ref(), cx.now()).await?)?;
    tx.commit().await?;
    tracing::info!(sync.run = %cx.claim.run, integration.id = %cx.claim.integration, state = state.as_str(),
        resumed = cx.claim.resumed_count, "a synchronization ended");
    cx.at(SyncPoint::RunEnded(state)).await;
    Ok(state)
}

/// Once per change for the worse, not with every run. Credentials that do not work were told of where they were used.
pub(super) async fn tell_staff(
    tx: &ActorTx,
    claim: &Claim,
    state: SyncState,
    reason: &str,
    at: Timestamp,
) -> Result<(), SyncError> {
    let is_news =
        sync::state_before(tx, claim).await? != Some(state) || sync::has_accepted(tx, claim.run).await?;
    let integration = integrations::by_id(tx, claim.integration).await?;
    let is_told = state == SyncState::Failed
        && integration.as_ref().is_some_and(|it| it.credentials_failed_at.is_some());
    if !is_news || is_told {
        return Ok(());
    }
    let name = integration.map_or_else(|| claim.integration.to_string(), |it| it.name);
    let title = match state {
        SyncState::Suspect => format!("{name}: the vendor lists far fewer rows than before"),
        _ => format!("{name}: the synchronization failed"),
    };
    let body = format!("{reason}. Nothing was removed because of it.");
    let people = notifications::staff_who_can(tx, "integrations:sync").await?;
    let link = link(claim.integration);
    let new =
        NewNotification { customer: None, kind: "sync", title: &title, body: &body, link: Some(&link), at };
    notifications::add(tx, &people, &new).await?;
    Ok(())
}

fn link(integration: IntegrationId) -> String {
    format!("/integrations/{integration}")
}

async fn mapping_changed(cx: &Cx<'_>) -> Result<bool, SyncError> {
    let tx = cx.everywhere().await?;
    let changed = sync::mapping_changed(&tx, cx.claim.integration).await?;
    tx.rollback().await?;
    Ok(changed)
}

pub(super) async fn become_full<C: Sync>(cx: &Cx<'_, C>, reason: &str) -> Result<(), SyncError> {
    let tx = cx.provider().await?;
    still_mine(sync::become_full(&tx, cx.claim, reason).await?)?;
    tx.commit().await?;
    tracing::info!(sync.run = %cx.claim.run, integration.id = %cx.claim.integration, reason, "an incremental synchronization became a full one");
    Ok(())
}
