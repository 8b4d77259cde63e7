//! Rules of the estate: what a vendor's words mean for us, and when a count falls too far to be believed.

/// A fall of more than this share of the rows known before is not believed at once.
pub const SUSPECT_FALL_PERCENT: u64 = 20;
/// Below this many rows a share says nothing.
pub const SUSPECT_ROWS_MIN: u64 = 5;

/// What may be gone beyond what a person accepted, because the estate moves on between two readings: this share of it...
pub const ACCEPTED_MARGIN_PERCENT: usize = 5;
/// ... and at least this many rows.
pub const ACCEPTED_MARGIN_ROWS_MIN: usize = 10;

/// What a device is, in our words (`devices.class`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceClass {
    Workstation,
    Server,
    VirtualMachine,
    Network,
    Mobile,
    Other,
}

impl DeviceClass {
    pub const ALL: [Self; 6] =
        [Self::Workstation, Self::Server, Self::VirtualMachine, Self::Network, Self::Mobile, Self::Other];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workstation => "workstation",
            Self::Server => "server",
            Self::VirtualMachine => "virtual_machine",
            Self::Network => "network",
            Self::Mobile => "mobile",
            Self::Other => "other",
        }
    }

    /// From a vendor's class, such as `WINDOWS_SERVER`. The vendor's lists grow: what is not understood is `Other`.
    pub fn of_vendor(class: &str) -> Self {
        let class = class.to_ascii_uppercase();
        let has = |part: &str| class.contains(part);
        if has("VM_GUEST") || has("HYPERV_VMM_GUEST") {
            Self::VirtualMachine
        } else if has("WORKSTATION") || class == "MAC" {
            Self::Workstation
        } else if has("_SERVER") || has("VM_HOST") || has("VMM_HOST") {
            Self::Server
        } else if has("ANDROID") || has("IOS") || has("IPADOS") {
            Self::Mobile
        } else if has("NMS_") || has("NETWORK") || has("SWITCH") || has("ROUTER") || has("FIREWALL") {
            Self::Network
        } else {
            Self::Other
        }
    }
}

/// One disk: how large, how much of it is free, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    pub capacity_bytes: i64,
    pub free_bytes: i64,
}

/// How full the fullest disk is, in percent with two digits; `None` without a disk that says both numbers sensibly.
pub fn disk_used_percent(disks: impl IntoIterator<Item = DiskSpace>) -> Option<f64> {
    let used = disks.into_iter().filter(|disk| disk.capacity_bytes > 0 && disk.free_bytes >= 0).map(|disk| {
        let used = i128::from(disk.capacity_bytes.saturating_sub(disk.free_bytes).max(0));
        // In hundredths of a percent, so that the division happens once, on whole numbers.
        used * 10_000 / i128::from(disk.capacity_bytes)
    });
    let hundredths = i32::try_from(used.max()?).ok()?;
    Some(f64::from(hundredths) / 100.0)
}

/// A vendor's severity in our words (`device_conditions.severity`). An unknown word is neither hidden nor an alarm.
pub fn severity(vendor: &str) -> &'static str {
    match vendor.to_ascii_uppercase().as_str() {
        "NONE" | "INFO" => "info",
        "MINOR" => "minor",
        "MAJOR" => "major",
        "CRITICAL" => "critical",
        _ => "moderate",
    }
}

/// Whether a count fell too far to be believed without reading again.
pub fn is_suspect(before: u64, now: u64) -> bool {
    before >= SUSPECT_ROWS_MIN && before.saturating_sub(now) * 100 > before * SUSPECT_FALL_PERCENT
}

/// How many rows may be asked for one by one after a person accepted that `accepted` are gone.
pub fn accepted_rows_max(accepted: usize) -> usize {
    let margin = (accepted / 100).saturating_mul(ACCEPTED_MARGIN_PERCENT).max(ACCEPTED_MARGIN_ROWS_MIN);
    accepted.saturating_add(margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_the_vendor_become_ours() {
        use DeviceClass::{Mobile, Network, Other, Server, VirtualMachine, Workstation};
        let cases = [
            ("WINDOWS_WORKSTATION", Workstation),
            ("LINUX_WORKSTATION", Workstation),
            ("MAC", Workstation),
            ("MAC_SERVER", Server),
            ("WINDOWS_SERVER", Server),
            ("LINUX_SERVER", Server),
            ("VMWARE_VM_HOST", Server),
            ("HYPERV_VMM_HOST", Server),
            ("VMWARE_VM_GUEST", VirtualMachine),
            ("HYPERV_VMM_GUEST", VirtualMachine),
            ("ANDROID", Mobile),
            ("APPLE_IOS", Mobile),
            ("APPLE_IPADOS", Mobile),
            ("NMS_SWITCH", Network),
            ("NMS_PRINTER", Network),
            ("CLOUD_MONITOR_TARGET", Other),
            ("QUANTUM_TOASTER", Other),
            ("", Other),
        ];
        for (vendor, ours) in cases {
            assert_eq!(DeviceClass::of_vendor(vendor), ours, "{vendor}");
        }
    }

    #[test]
    fn the_fullest_disk_counts() {
        let disk = |capacity_bytes, free_bytes| DiskSpace { capacity_bytes, free_bytes };
        assert_eq!(disk_used_percent([disk(100, 50), disk(1000, 45)]), Some(95.5));
        assert_eq!(disk_used_percent([disk(3, 1)]), Some(66.66));
        assert_eq!(disk_used_percent([disk(i64::MAX, 0)]), Some(100.0));
        // A disk that claims more free space than it has is full of nothing; one without a size says nothing.
        assert_eq!(disk_used_percent([disk(10, 20)]), Some(0.0));
        assert_eq!(disk_used_percent([disk(0, 0), disk(-5, 1), disk(10, -1)]), None);
        assert_eq!(disk_used_percent([]), None);
    }

    #[test]
    fn severities_are_ours() {
        assert_eq!(
            ["NONE", "MINOR", "MODERATE", "MAJOR", "CRITICAL", "WHO_KNOWS"].map(severity),
            ["info", "minor", "moderate", "major", "critical", "moderate"]
        );
    }

    #[test]
    fn more_than_a_fifth_is_suspect_and_small_counts_are_not() {
        for (before, now, expected) in [
            (100, 80, false),
            (100, 79, true),
            (5, 4, false),
            (5, 3, true),
            (4, 0, false),
            (0, 0, false),
            (10, 20, false),
            (25_000, 19_999, true),
        ] {
            assert_eq!(is_suspect(before, now), expected, "{before} -> {now}");
        }
    }

    #[test]
    fn what_was_accepted_has_a_small_margin() {
        assert_eq!([0, 1, 200, 300, 10_000].map(accepted_rows_max), [10, 11, 210, 315, 10_500]);
        assert_eq!(accepted_rows_max(usize::MAX), usize::MAX);
    }
}
