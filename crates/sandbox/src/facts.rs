//! What agents report beside the record of a device: antivirus, patches, software, backups. All of it follows from the device's salt and the
//! changes that were ordered since.
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::estate::{Device, Kind};
use crate::rng::Rng;

const DAY_S: i64 = 86_400;
/// A backup whose last success is older than this is late.
pub(crate) const BACKUP_LATE_S: i64 = 3 * DAY_S;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Guard {
    #[default]
    Good,
    Outdated,
    Off,
    None,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Backup {
    #[default]
    None,
    Current,
    Late,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub guard: Guard,
    pub backup: Backup,
    /// When a late backup succeeded last.
    pub backup_s: i64,
    /// By place in [`PATCHES`], with its status at the vendor.
    pub patches: Vec<(usize, &'static str)>,
    /// By place in [`SOFTWARE`].
    pub uninstalled: BTreeSet<usize>,
}

pub(crate) struct KnownPatch {
    pub name: &'static str,
    pub kb: &'static str,
    pub severity: &'static str,
    pub kind: &'static str,
}

const fn patch(
    name: &'static str,
    kb: &'static str,
    severity: &'static str,
    kind: &'static str,
) -> KnownPatch {
    KnownPatch { name, kb, severity, kind }
}

pub(crate) const PATCHES: [KnownPatch; 9] = [
    patch("2026-02 Cumulative Update for Windows", "KB5051987", "CRITICAL", "SECURITY_UPDATES"),
    patch("2026-01 Security Update for .NET Framework", "KB5049624", "CRITICAL", "SECURITY_UPDATES"),
    patch("Servicing Stack Update", "KB5050411", "IMPORTANT", "CRITICAL_UPDATES"),
    patch(
        "Security Intelligence Update for Microsoft Defender",
        "KB2267602",
        "IMPORTANT",
        "DEFINITION_UPDATES",
    ),
    patch("2026-02 Update for Windows Server", "KB5052108", "IMPORTANT", "UPDATE_ROLLUPS"),
    patch("Windows Malicious Software Removal Tool", "KB890830", "MODERATE", "UPDATE_ROLLUPS"),
    patch("Printer driver update", "KB5048239", "LOW", "DRIVER_UPDATES"),
    patch("Feature update to Windows 11, version 25H2", "KB5054156", "OPTIONAL", "FEATURE_PACKS"),
    // A word that the vendor's document does not know.
    patch("Firmware update", "KB5055001", "UNSPECIFIED", "DRIVERS"),
];
/// Those that count as critical.
pub(crate) const CRITICAL: [usize; 2] = [0, 1];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Windows,
    Servers,
    Macs,
    Linux,
}

pub(crate) struct KnownSoftware {
    pub name: &'static str,
    pub publisher: &'static str,
    pub versions: [&'static str; 3],
    on: On,
    percent: u64,
    pub megabytes: i64,
}

const fn app(
    name: &'static str,
    publisher: &'static str,
    versions: [&'static str; 3],
    on: On,
    percent: u64,
    megabytes: i64,
) -> KnownSoftware {
    KnownSoftware { name, publisher, versions, on, percent, megabytes }
}

pub(crate) const SOFTWARE: [KnownSoftware; 32] = [
    app(
        "Microsoft 365 Apps for business",
        "Microsoft Corporation",
        ["16.0.18429", "16.0.18526", "16.0.18623"],
        On::Windows,
        88,
        4_200,
    ),
    app(
        "Microsoft Edge",
        "Microsoft Corporation",
        ["132.0.2957", "133.0.3065", "134.0.3124"],
        On::Windows,
        99,
        640,
    ),
    app("Google Chrome", "Google LLC", ["132.0.6834", "133.0.6943", "134.0.6998"], On::Windows, 76, 610),
    app("Mozilla Firefox", "Mozilla", ["128.8.0", "135.0.1", "136.0"], On::Windows, 31, 230),
    app(
        "Adobe Acrobat (64-bit)",
        "Adobe",
        ["24.005.20421", "25.001.20428", "25.001.20432"],
        On::Windows,
        71,
        980,
    ),
    app("7-Zip", "Igor Pavlov", ["22.01", "23.01", "24.09"], On::Windows, 63, 6),
    app("Notepad++", "Notepad++ Team", ["8.6.9", "8.7.5", "8.7.7"], On::Windows, 34, 17),
    app("VLC media player", "VideoLAN", ["3.0.18", "3.0.20", "3.0.21"], On::Windows, 27, 180),
    app("TeamViewer Host", "TeamViewer", ["15.58", "15.61", "15.63"], On::Windows, 12, 90),
    app("Zoom Workplace", "Zoom Communications, Inc.", ["6.2.11", "6.3.5", "6.3.11"], On::Windows, 45, 420),
    app(
        "Microsoft Teams",
        "Microsoft Corporation",
        ["25007.607", "25017.203", "25044.2208"],
        On::Windows,
        82,
        350,
    ),
    app(
        "OneDrive",
        "Microsoft Corporation",
        ["25.005.0112", "25.010.0119", "25.020.0202"],
        On::Windows,
        90,
        320,
    ),
    app(
        "Visual C++ 2015-2022 Redistributable (x64)",
        "Microsoft Corporation",
        ["14.38.33135", "14.40.33816", "14.42.34438"],
        On::Windows,
        95,
        24,
    ),
    app(
        "Java 8 Update 441",
        "Oracle Corporation",
        ["8.0.4310.10", "8.0.4410.7", "8.0.4410.7"],
        On::Windows,
        9,
        160,
    ),
    app("FortiClient VPN", "Fortinet Technologies", ["7.2.4", "7.4.0", "7.4.2"], On::Windows, 38, 140),
    app("Dell Command | Update", "Dell Inc.", ["5.3.0", "5.4.0", "5.5.0"], On::Windows, 33, 120),
    app("QuickBooks Desktop Pro 2024", "Intuit Inc.", ["34.0", "34.1", "34.2"], On::Windows, 8, 2_700),
    app("Dentrix G7", "Henry Schein", ["7.7", "7.8", "7.9"], On::Windows, 5, 3_100),
    app("AutoCAD LT 2025", "Autodesk", ["25.0", "25.1", "25.1"], On::Windows, 4, 5_400),
    app("NinjaRMM Agent", "NinjaOne, LLC", ["8.0.3289", "9.0.3648", "9.0.3648"], On::Windows, 100, 210),
    app(
        "Microsoft SQL Server 2019 (64-bit)",
        "Microsoft Corporation",
        ["15.0.4360", "15.0.4415", "15.0.4420"],
        On::Servers,
        32,
        7_800,
    ),
    app(
        "Veeam Agent for Microsoft Windows",
        "Veeam Software Group GmbH",
        ["6.1.2", "6.2.0", "6.3.0"],
        On::Servers,
        41,
        540,
    ),
    app(
        "Active Directory Domain Services",
        "Microsoft Corporation",
        ["10.0.20348", "10.0.20348", "10.0.20348"],
        On::Servers,
        28,
        60,
    ),
    app("PaperCut NG", "PaperCut Software", ["23.0.9", "24.0.4", "24.1.3"], On::Servers, 11, 900),
    app("Google Chrome", "Google LLC", ["132.0.6834", "133.0.6943", "134.0.6998"], On::Macs, 71, 650),
    app("Microsoft Outlook", "Microsoft Corporation", ["16.93", "16.94", "16.95"], On::Macs, 80, 2_100),
    app("Slack", "Slack Technologies", ["4.41.105", "4.42.115", "4.42.120"], On::Macs, 52, 480),
    app("NinjaRMM Agent", "NinjaOne, LLC", ["8.0.3289", "9.0.3648", "9.0.3648"], On::Macs, 100, 190),
    app(
        "openssh-server",
        "",
        ["1:9.6p1-3ubuntu13.5", "1:9.6p1-3ubuntu13.8", "1:9.6p1-3ubuntu13.8"],
        On::Linux,
        98,
        2,
    ),
    app("docker-ce", "", ["5:27.5.1", "5:28.0.1", "5:28.0.1"], On::Linux, 44, 110),
    app("nginx", "", ["1.24.0-2ubuntu7.1", "1.24.0-2ubuntu7.3", "1.24.0-2ubuntu7.3"], On::Linux, 37, 4),
    app("postgresql-16", "", ["16.6", "16.8", "16.8"], On::Linux, 29, 45),
];

impl Facts {
    /// Planted in every estate of twelve devices or more: one without antivirus, an outdated one, one that lacks critical patches, and a
    /// server whose backup is late.
    pub fn seeded(device: &Device, position: u64, now_s: i64) -> Self {
        if !device.kind.has_agent() {
            return Self { guard: Guard::None, ..Self::default() };
        }
        let mut rng = Rng::of(device.salt, 11);
        let guard = match (position, rng.below(100)) {
            (0 | 1, _) => Guard::Good,
            (6, _) | (12.., 0..3) => Guard::None,
            (7, _) | (12.., 3..9) => Guard::Outdated,
            (12.., 9..11) => Guard::Off,
            _ => Guard::Good,
        };
        let is_server = matches!(device.kind, Kind::WindowsServer | Kind::LinuxServer);
        let backup = match (position, is_server, rng.below(100)) {
            (3, ..) | (12.., true, 0..8) => Backup::Late,
            (12.., true, 8..15) => Backup::None,
            (1, ..) | (_, true, _) | (12.., false, 0..15) => Backup::Current,
            _ => Backup::None,
        };
        let backup_s = now_s - DAY_S * i64::try_from(5 + rng.below(20)).unwrap_or(5);
        let mut patches: Vec<(usize, &'static str)> = Vec::new();
        if device.kind.is_windows() {
            let lacks_critical = position == 8 || (position >= 12 && rng.percent(9));
            for index in 0..PATCHES.len() {
                let is_critical = CRITICAL.contains(&index);
                let chance = if is_critical { u64::from(lacks_critical) * 80 } else { 14 };
                let is_planted = position == 8 && index == 0;
                if (position >= 12 && rng.percent(chance)) || is_planted {
                    patches
                        .push((index, rng.pick(&["MANUAL", "APPROVED", "APPROVED", "FAILED", "REJECTED"])));
                }
            }
            // A rejected patch is nobody's gap.
            if lacks_critical {
                patches.retain(|(index, _)| *index != 0);
                patches.insert(0, (0, "APPROVED"));
            }
        }
        Self { guard, backup, backup_s, patches, uninstalled: BTreeSet::new() }
    }

    pub fn lacks_critical(&self) -> bool {
        self.patches.iter().any(|(index, status)| CRITICAL.contains(index) && *status != "REJECTED")
    }
}

/// Places in [`SOFTWARE`] of what is installed, with the version.
pub(crate) fn installed(device: &Device) -> impl Iterator<Item = (usize, &'static str)> {
    SOFTWARE.iter().enumerate().filter_map(|(index, app)| {
        let fits = match app.on {
            On::Windows => device.kind.is_windows(),
            On::Servers => device.kind == Kind::WindowsServer,
            On::Macs => device.kind == Kind::Mac,
            On::Linux => matches!(device.kind, Kind::LinuxServer | Kind::LinuxWorkstation),
        };
        if !fits || device.facts.uninstalled.contains(&index) {
            return None;
        }
        let mut rng = Rng::of(device.salt, 100 + index as u64);
        rng.percent(app.percent).then(|| (index, rng.pick(&app.versions)))
    })
}

/// A change that nobody ordered through the vendor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactsOrder {
    pub device_id: i64,
    pub antivirus: Option<Guard>,
    pub backup: Option<Backup>,
    /// All patches are installed.
    #[serde(default)]
    pub install_patches: bool,
    /// So many programs are removed.
    #[serde(default)]
    pub uninstall: usize,
}

impl FactsOrder {
    /// `None`: the device has no agent that would tell.
    pub fn run(&self, device: &mut Device) -> Option<()> {
        if !device.kind.has_agent() {
            return None;
        }
        let gone: Vec<usize> = installed(device).map(|(index, _)| index).take(self.uninstall).collect();
        let facts = &mut device.facts;
        facts.guard = self.antivirus.unwrap_or(facts.guard);
        facts.backup = self.backup.unwrap_or(facts.backup);
        if self.install_patches {
            facts.patches.clear();
        }
        facts.uninstalled.extend(gone);
        Some(())
    }
}
