//! What a vendor's words about a device mean for us.

/// How well a device is guarded (`device_healths.antivirus`). `None`, that there is no product at all, is said by the lack of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    Protected,
    Outdated,
    Unknown,
    Off,
}

impl Guard {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Protected => "protected",
            Self::Outdated => "outdated",
            Self::Unknown => "unknown",
            Self::Off => "off",
        }
    }

    /// Of one product, by the words for its state and for its definitions.
    fn of(state: Option<&str>, definitions: Option<&str>) -> Self {
        let is = |word: Option<&str>, known: &[&str]| {
            word.is_some_and(|word| known.iter().any(|it| it.eq_ignore_ascii_case(&squeezed(word))))
        };
        if is(state, &["off", "expired", "snoozed", "disabled"]) {
            Self::Off
        } else if !is(state, &["on", "enabled", "running"]) {
            Self::Unknown
        } else if is(definitions, &["outofdate", "outdated"]) {
            Self::Outdated
        } else if is(definitions, &["uptodate"]) {
            Self::Protected
        } else {
            Self::Unknown
        }
    }

    /// Of a device: the best of its products counts, because a second one puts the first to sleep.
    pub fn best<'a>(products: impl IntoIterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Self {
        let all = products.into_iter().map(|(state, definitions)| Self::of(state, definitions));
        all.min().unwrap_or(Self::Unknown)
    }
}

/// `Up-to-Date`, `UP_TO_DATE` and `up to date` are one word.
fn squeezed(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// What becomes of a patch that a device lacks (`device_patches.standing`).
pub fn patch_standing(status: &str) -> &'static str {
    match status.to_ascii_uppercase().as_str() {
        "PENDING" | "MANUAL" | "APPROVED" => "pending",
        "FAILED" => "failed",
        "REJECTED" => "rejected",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_product_guards_a_device() {
        let guard = |products: &[(&'static str, &'static str)]| {
            Guard::best(products.iter().map(|(state, definitions)| (Some(*state), Some(*definitions))))
        };
        assert_eq!(guard(&[("ON", "Up-to-Date")]), Guard::Protected);
        assert_eq!(guard(&[("OFF", "Unknown"), ("ON", "UP_TO_DATE")]), Guard::Protected);
        assert_eq!(guard(&[("ON", "Out-of-Date"), ("OFF", "Up-to-Date")]), Guard::Outdated);
        assert_eq!(guard(&[("EXPIRED", "Up-to-Date")]), Guard::Off);
        assert_eq!(guard(&[("SNOOZED", "Up-to-Date")]), Guard::Off);
        // A word that nobody knows is neither an alarm nor an all-clear.
        assert_eq!(guard(&[("DREAMING", "Up-to-Date")]), Guard::Unknown);
        assert_eq!(guard(&[("ON", "who knows")]), Guard::Unknown);
        assert_eq!(Guard::best([(None, None)]), Guard::Unknown);
    }

    #[test]
    fn patches_stand_as_their_status_says() {
        let words = ["PENDING", "manual", "APPROVED", "FAILED", "REJECTED", "INSTALLED", "NEW_WORD"];
        assert_eq!(
            words.map(patch_standing),
            ["pending", "pending", "pending", "failed", "rejected", "other", "other"]
        );
    }
}
