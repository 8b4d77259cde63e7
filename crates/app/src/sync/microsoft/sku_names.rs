//! Names of licenses as Microsoft's price list has them; Graph only sends part numbers.

/// Part number and name; from Microsoft's public table of product names.
const NAMES: [(&str, &str); 30] = [
    ("AAD_PREMIUM", "Microsoft Entra ID P1"),
    ("AAD_PREMIUM_P2", "Microsoft Entra ID P2"),
    ("ATP_ENTERPRISE", "Microsoft Defender for Office 365 (Plan 1)"),
    ("EMS", "Enterprise Mobility + Security E3"),
    ("EMSPREMIUM", "Enterprise Mobility + Security E5"),
    ("ENTERPRISEPACK", "Office 365 E3"),
    ("ENTERPRISEPREMIUM", "Office 365 E5"),
    ("EXCHANGEARCHIVE_ADDON", "Exchange Online Archiving"),
    ("EXCHANGEDESKLESS", "Exchange Online Kiosk"),
    ("EXCHANGEENTERPRISE", "Exchange Online (Plan 2)"),
    ("EXCHANGESTANDARD", "Exchange Online (Plan 1)"),
    ("FLOW_FREE", "Microsoft Power Automate Free"),
    ("INTUNE_A", "Microsoft Intune Plan 1"),
    ("MCOEV", "Microsoft Teams Phone Standard"),
    ("O365_BUSINESS", "Microsoft 365 Apps for business"),
    ("O365_BUSINESS_ESSENTIALS", "Microsoft 365 Business Basic"),
    ("O365_BUSINESS_PREMIUM", "Microsoft 365 Business Standard"),
    ("OFFICESUBSCRIPTION", "Microsoft 365 Apps for enterprise"),
    ("POWER_BI_PRO", "Power BI Pro"),
    ("POWER_BI_STANDARD", "Microsoft Fabric (Free)"),
    ("PROJECTPROFESSIONAL", "Project Plan 3"),
    ("SPB", "Microsoft 365 Business Premium"),
    ("SPE_E3", "Microsoft 365 E3"),
    ("SPE_E5", "Microsoft 365 E5"),
    ("SPE_F1", "Microsoft 365 F3"),
    ("STANDARDPACK", "Office 365 E1"),
    ("TEAMS_EXPLORATORY", "Microsoft Teams Exploratory"),
    ("VISIOCLIENT", "Visio Plan 2"),
    ("VISIOONLINE_PLAN1", "Visio Plan 1"),
    ("WINDOWS_STORE", "Windows Store for Business"),
];

pub(super) fn name(part_number: &str) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == part_number).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_number_has_one_name() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(name("SPB"), Some("Microsoft 365 Business Premium"));
        assert_eq!(name("SOMETHING_NEW"), None);
    }
}
