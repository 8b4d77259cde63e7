//! Standards that the deployment watches, by CIPP's own names, what its first template wants, and other values that tenants have.
use serde_json::{Value, json};

use crate::rng::Rng;

/// How the deployment writes a value down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// An older standard: whether it is so, and nothing else.
    Flag,
    Text,
    /// A number, sent as text.
    Number,
    /// What is there comes as JSON inside a text, and `Value` only says whether it is as wanted.
    Record,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Standard {
    pub name: &'static str,
    pub form: Form,
    /// Of a text: what the first template wants, then what others have.
    texts: &'static [&'static str],
}

const fn flag(name: &'static str) -> Standard {
    Standard { name, form: Form::Flag, texts: &[] }
}

const fn text(name: &'static str, texts: &'static [&'static str]) -> Standard {
    Standard { name, form: Form::Text, texts }
}

const fn record(name: &'static str) -> Standard {
    Standard { name, form: Form::Record, texts: &[] }
}

pub(crate) const STANDARDS: [Standard; 25] = [
    flag("AuditLog"),
    flag("PWnumberMatchingRequiredState"),
    flag("DisableGuestDirectory"),
    flag("EnableMailboxAuditing"),
    flag("AddDKIM"),
    flag("RotateDKIM"),
    flag("DisableBasicAuthSMTP"),
    flag("OauthConsent"),
    flag("DisableSharedMailbox"),
    flag("DisableReshare"),
    flag("DisableExternalCalendarSharing"),
    flag("PasswordExpireDisabled"),
    flag("DisableTenantCreation"),
    flag("DisableSecurityGroupUsers"),
    flag("PerUserMFA"),
    flag("SecurityDefaults"),
    text("sharingCapability", &["externalUserSharingOnly", "externalUserAndGuestSharing", "disabled"]),
    text("SpoofWarn", &["enabled", "disabled"]),
    text("NudgeMFA", &["enabled", "disabled"]),
    text("GuestInvite", &["adminsAndGuestInviters", "everyone"]),
    text("ActivityBasedTimeout", &["01:00:00", "06:00:00", "24:00:00"]),
    Standard { name: "DeletedUserRentention", form: Form::Number, texts: &["365", "30", "93"] },
    record("MailContacts"),
    record("AntiPhishPolicy"),
    record("SafeLinksPolicy"),
];

/// Tenants that have a standard as the first template wants it.
const IN_ORDER_PERCENT: u64 = 80;

impl Standard {
    pub fn key(&self) -> String {
        format!("standards.{}", self.name)
    }

    pub fn of(name: &str) -> Option<&'static Self> {
        let name = name.strip_prefix("standards.").unwrap_or(name);
        STANDARDS.iter().find(|standard| standard.name == name)
    }

    /// What the deployment's first template wants.
    pub fn wanted(&self) -> Value {
        self.variant(0)
    }

    fn variant(&self, at: usize) -> Value {
        match self.form {
            Form::Flag => json!(at == 0),
            Form::Text => json!(self.texts[at % self.texts.len()]),
            Form::Number => json!(self.texts[at % self.texts.len()].parse::<i64>().unwrap_or(0)),
            Form::Record => match self.name {
                "MailContacts" => {
                    let security = if at == 0 { "security@msp.example" } else { "info@old-provider.example" };
                    json!({"GeneralContact": "it@msp.example", "SecurityContact": security, "TechContact": "it@msp.example"})
                }
                "AntiPhishPolicy" => {
                    json!({"EnableMailboxIntelligence": true, "EnableSpoofIntelligence": true, "PhishThresholdLevel": if at == 0 { 3 } else { 1 }})
                }
                _ => {
                    json!({"EnableSafeLinksForTeams": true, "TrackClicks": true, "AllowClickThrough": at != 0})
                }
            },
        }
    }

    /// What a tenant begins with.
    pub fn seeded(&self, rng: &mut Rng) -> Value {
        if rng.percent(IN_ORDER_PERCENT) {
            self.wanted()
        } else {
            self.variant(1 + usize::from(rng.percent(50)))
        }
    }

    /// What a template with these options wants; `before` is what is there.
    pub fn asked(&self, options: &Value, before: Option<&Value>) -> Value {
        let plain = |value: &Value| value.get("value").unwrap_or(value).clone();
        let first = options.as_object().and_then(|members| members.values().next()).map(plain);
        match self.form {
            Form::Flag => json!(true),
            Form::Text => first.unwrap_or_else(|| self.wanted()),
            Form::Number => match first {
                Some(Value::String(text)) => {
                    text.parse::<i64>().map_or_else(|_| self.wanted(), |number| json!(number))
                }
                Some(number) => number,
                None => self.wanted(),
            },
            Form::Record => {
                let mut record = before.cloned().filter(Value::is_object).unwrap_or_else(|| self.wanted());
                for (name, value) in options.as_object().into_iter().flatten() {
                    record[name] = plain(value);
                }
                record
            }
        }
    }

    /// One entry of the comparison.
    pub fn compared(
        &self,
        is: &Value,
        expected: Option<&Value>,
        template: Option<&str>,
        refreshed: &str,
    ) -> Value {
        let as_wanted = expected == Some(is);
        let (value, current, wanted) = match self.form {
            Form::Flag => (is.clone(), Value::Null, Value::Null),
            Form::Text => (is.clone(), is.clone(), expected.cloned().unwrap_or(Value::Null)),
            Form::Number => (
                json!(is.to_string()),
                json!(is.to_string()),
                expected.map_or(Value::Null, |it| json!(it.to_string())),
            ),
            Form::Record => {
                let value = if as_wanted { json!(true) } else { is.clone() };
                (value, json!(is.to_string()), expected.cloned().unwrap_or(Value::Null))
            }
        };
        json!({"Value": value, "LastRefresh": refreshed, "TemplateId": template, "LicenseAvailable": true,
            "CurrentValue": current, "ExpectedValue": wanted})
    }
}
