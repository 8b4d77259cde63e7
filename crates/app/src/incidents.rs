//! From a condition to an incident with its remediation, and what people do with both.
pub mod flows;
pub mod intake;
pub mod remediate;
pub mod sink;

use ninjaone::Severity;

/// The vendor's severity in our words (`info`, `minor`, `moderate`, `major`, `critical`). An unknown one counts as moderate.
pub fn severity(vendor: &Severity) -> &'static str {
    match vendor.as_str() {
        "CRITICAL" => "critical",
        "MAJOR" => "major",
        "MINOR" => "minor",
        "NONE" => "info",
        _ => "moderate",
    }
}
