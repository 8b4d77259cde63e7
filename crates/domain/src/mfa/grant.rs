//! What a policy asks for.
use serde_json::Value;

use super::policy::split;

/// Built-in authentication strengths, all of which need two factors: MFA, passwordless MFA, phishing-resistant MFA.
const BUILT_IN_STRENGTHS: [&str; 3] = [
    "00000000-0000-0000-0000-000000000002",
    "00000000-0000-0000-0000-000000000003",
    "00000000-0000-0000-0000-000000000004",
];

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Grant {
    /// MFA in any case. `with`: what it asks for in words.
    Mfa {
        with: String,
    },
    Block,
    /// Something else is enough; in words. `or_mfa`: MFA is one of the ways.
    Other {
        ways: Vec<String>,
        or_mfa: bool,
    },
    /// Only session controls, or nothing.
    Nothing,
}

/// One control.
struct Way {
    words: String,
    is_mfa: bool,
}

impl Grant {
    /// `grantControls` of a policy.
    pub fn from_graph(controls: Option<&Value>) -> Self {
        let Some(Value::Object(controls)) = controls else { return Self::Nothing };
        let list = |key: &str| -> Vec<String> {
            match controls.get(key) {
                Some(Value::Array(items)) => {
                    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
                _ => Vec::new(),
            }
        };
        let built_in = list("builtInControls");
        if built_in.iter().any(|word| word == "block") {
            return Self::Block;
        }
        let mut ways: Vec<Way> = built_in.iter().map(|word| Way::built_in(word)).collect();
        ways.extend(controls.get("authenticationStrength").and_then(Way::strength));
        let plain = |words: String| Way { words, is_mfa: false };
        ways.extend(
            list("customAuthenticationFactors").iter().map(|id| plain(format!("custom control {id}"))),
        );
        ways.extend(list("termsOfUse").iter().map(|_| plain("terms of use".into())));
        let all_of = controls.get("operator").and_then(Value::as_str) == Some("AND");
        let asks = if all_of {
            ways.iter().any(|way| way.is_mfa)
        } else {
            !ways.is_empty() && ways.iter().all(|way| way.is_mfa)
        };
        let or_mfa = ways.iter().any(|way| way.is_mfa);
        match ways.iter().find(|way| way.is_mfa) {
            _ if ways.is_empty() => Self::Nothing,
            Some(way) if asks => Self::Mfa { with: way.words.clone() },
            _ => {
                let ways = ways.into_iter().filter(|way| !way.is_mfa).map(|way| way.words).collect();
                Self::Other { ways, or_mfa }
            }
        }
    }
}

impl Way {
    fn built_in(word: &str) -> Self {
        let words = match word {
            "mfa" => "MFA",
            "compliantDevice" => "a compliant device",
            "domainJoinedDevice" => "a hybrid joined device",
            "approvedApplication" => "an approved app",
            "compliantApplication" => "an app protection policy",
            "passwordChange" => "a password change",
            "riskRemediation" => "risk remediation",
            other => other,
        };
        Self { words: words.to_owned(), is_mfa: word == "mfa" }
    }

    fn strength(strength: &Value) -> Option<Self> {
        let strength = strength.as_object()?;
        let text = |key: &str| strength.get(key).and_then(Value::as_str).unwrap_or_default();
        let id = text("id").to_ascii_lowercase();
        if id.is_empty() && text("displayName").is_empty() && text("requirementsSatisfied").is_empty() {
            return None;
        }
        let satisfied = split(text("requirementsSatisfied"));
        let is_mfa = match satisfied.is_empty() {
            true => BUILT_IN_STRENGTHS.contains(&id.as_str()),
            false => satisfied.iter().any(|word| word == "mfa"),
        };
        let name = if text("displayName").is_empty() { id.as_str() } else { text("displayName") };
        Some(Self { words: format!("the authentication strength {name}"), is_mfa })
    }
}
