//! What an alert of CIPP is called, and how severe it is: CIPP names the check that found it, and nothing else.

/// What names of checks begin with.
const PREFIX: &str = "get-cippalert";
/// Longest name that is made of a check's, and longest part of what it found that goes into a title.
const NAME_CHARS_MAX: usize = 80;
const PREVIEW_CHARS_MAX: usize = 200;

/// An attack that is under way, or an account that somebody else has: a person looks into it at once.
const MAJOR: [&str; 7] = [
    "BreachAlert",
    "DefenderAlerts",
    "DefenderIncidents",
    "DefenderMalware",
    "HuntressRogueApps",
    "NewRiskyUsers",
    "RestrictedUsers",
];
/// Order and money: nothing is at risk today.
const MINOR: [&str; 14] = [
    "EntraLicenseUtilization",
    "InactiveGuestUsers",
    "InactiveLicensedUsers",
    "InactiveSharePointSites",
    "InactiveTeamsSites",
    "InactiveUsers",
    "LowDomainScore",
    "LowTenantAlignment",
    "OneDriveLongPaths",
    "SecDefaultsUpsell",
    "SoftDeletedMailboxes",
    "StaleEntraDevices",
    "UnlicensedOneDriveData",
    "UnusedLicenses",
];

/// `major`, `minor`, or `moderate` for every other check, one that is not known included.
pub fn severity(cmdlet: &str) -> &'static str {
    let name = name(cmdlet);
    let is_of = |names: &[&str]| names.iter().any(|it| it.eq_ignore_ascii_case(name));
    if is_of(&MAJOR) {
        "major"
    } else if is_of(&MINOR) {
        "minor"
    } else {
        "moderate"
    }
}

/// `Get-CIPPAlertAppSecretExpiry` and what it found: *App secret expiry: …*, on one line.
pub fn title(cmdlet: &str, preview: Option<&str>) -> String {
    let name: String = words(name(cmdlet)).chars().take(NAME_CHARS_MAX).collect();
    let found = preview.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default();
    if found.is_empty() {
        return name;
    }
    let mut short: String = found.chars().take(PREVIEW_CHARS_MAX).collect();
    if short.len() < found.len() {
        short.push('…');
    }
    format!("{name}: {short}")
}

/// Without what all of them begin with.
fn name(cmdlet: &str) -> &str {
    let cmdlet = cmdlet.trim();
    let has_prefix = cmdlet.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX));
    let rest = if has_prefix { &cmdlet[PREFIX.len()..] } else { cmdlet };
    if rest.is_empty() { cmdlet } else { rest }
}

/// `MXRecordChanged` as *MX record changed*: abbreviations keep their capitals.
fn words(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let after_small = at > 0 && (letters[at - 1].is_lowercase() || letters[at - 1].is_numeric());
        let before_small = at > 0 && letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = letter.is_uppercase() && (after_small || before_small);
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(*letter);
        }
    }
    words.retain(|word| !word.is_empty());
    let is_short = |word: &str| word.chars().count() > 1 && word.chars().all(|it| !it.is_lowercase());
    let told = words
        .iter()
        .enumerate()
        .map(|(at, word)| if at == 0 || is_short(word) { word.clone() } else { word.to_lowercase() });
    told.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_told_in_words() {
        for (cmdlet, told) in [
            ("Get-CIPPAlertAppSecretExpiry", "App secret expiry"),
            ("Get-CIPPAlertMFAAdmins", "MFA admins"),
            ("Get-CIPPAlertMXRecordChanged", "MX record changed"),
            ("Get-CIPPAlertNoCAConfig", "No CA config"),
            ("Get-CippAlertBreachAlert", "Breach alert"),
            ("Get-CIPPAlertTERRL", "TERRL"),
            ("Get-Custom_check2Run", "Get custom check2 run"),
            ("Get-CIPPAlert", "Get CIPP alert"),
            ("", ""),
        ] {
            assert_eq!(title(cmdlet, None), told, "{cmdlet}");
        }
    }

    #[test]
    fn a_title_is_one_bounded_line() {
        let of = |preview: &str| title("Get-CIPPAlertMFAAdmins", Some(preview));
        assert_eq!(of("ada@x.example \r\n  again"), "MFA admins: ada@x.example again");
        assert_eq!(of(" \n"), "MFA admins");
        let long = of(&"ä".repeat(5_000));
        assert!(long.ends_with('…') && long.chars().count() < 300, "{long}");
        assert!(title(&"Äb".repeat(5_000), None).chars().count() <= NAME_CHARS_MAX);
    }

    #[test]
    fn what_is_not_known_is_moderate() {
        for (cmdlet, is) in [
            ("Get-CIPPAlertDefenderMalware", "major"),
            ("get-cippalertbreachalert", "major"),
            ("Get-CIPPAlertUnusedLicenses", "minor"),
            ("Get-CIPPAlertMFAAdmins", "moderate"),
            ("Get-CIPPAlertOfTomorrow", "moderate"),
            ("", "moderate"),
        ] {
            assert_eq!(severity(cmdlet), is, "{cmdlet}");
        }
    }
}
