//! What changes something. Sent once, whatever happens; what the vendor says is never taken for an effect: that is read back.
use connector_api::{Answer, Call, VendorError};
use kernel::Timestamp;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::client::Cipp;
use crate::errors::{said, tells_of_failure};
use crate::fields::Fields;
use crate::rights;
use crate::types::{NewTemplate, SETTING_PREFIX};

/// How texts of success begin, in lower case.
const SUCCESSES: [&str; 16] = [
    "success",
    "queued",
    "started",
    "added",
    "set ",
    "disabled",
    "enabled",
    "removed",
    "reset",
    "revoked",
    "converted",
    "user account",
    "the user",
    "offboarding",
    "scheduled",
    "changed",
];
/// Standards whose one choice has a name of its own; all others call it `state`.
const CHOICES: [(&str, &str); 6] = [
    ("sharingCapability", "Level"),
    ("ActivityBasedTimeout", "timeout"),
    ("GuestInvite", "allowInvitesFrom"),
    ("DeletedUserRentention", "Days"),
    ("TAP", "config"),
    ("tenantDefaultTimezone", "Timezone"),
];

/// What the vendor says of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Done, or queued. No proof: read the effect.
    Ok,
    Failed,
    /// Nothing that could be understood, or no whole answer. It may have taken effect: look before it is sent again.
    Unsure,
}

#[derive(Clone, Debug)]
pub struct Acted {
    pub said: Said,
    /// The vendor's words, or ours where it had none. Never a password.
    pub words: String,
    /// The id of what was made.
    pub id: Option<String>,
    /// When the answer arrived; `None` when none did.
    pub observed_at: Option<Timestamp>,
}

#[derive(Debug)]
pub struct PasswordReset {
    pub acted: Acted,
    pub password: Option<SecretString>,
}

/// Where the mail of somebody goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forwarding {
    Off,
    /// To somebody of the same tenant, by user principal name.
    Internal {
        to: String,
        keeps_copy: Copies,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    Kept,
    NotKept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailboxKind {
    Regular,
    Shared,
}

/// What becomes of the licenses of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LicenseChange {
    RemoveAll,
    /// By the ids of SKUs.
    Change {
        add: Vec<String>,
        remove: Vec<String>,
    },
}

/// What CIPP's own offboarding does for one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offboarding {
    pub user_principal_name: String,
    /// `DisableSignIn`, `ConvertToShared`, `HideFromGAL`, `RemoveGroups`, `RemoveLicenses`, `RevokeSessions`, …
    pub steps: Vec<&'static str>,
    pub forward_to: Option<String>,
    pub out_of_office: Option<String>,
}

impl Cipp {
    /// Makes a template, or replaces the one of that id. It runs only when it is told to.
    pub async fn add_standards_template(&self, template: &NewTemplate) -> Result<Acted, VendorError> {
        let call = Call::post("/api/AddStandardsTemplate").json(template_body(template));
        self.act(call, "AddStandardsTemplate", rights::STANDARDS_WRITE).await
    }

    /// Queues a run of one template in one tenant, named by its default domain.
    pub async fn run_standards(&self, template_id: &str, domain: &str) -> Result<Acted, VendorError> {
        let call = Call::post("/api/ExecStandardsRun")
            .query("templateId", template_id)
            .query("tenantFilter", domain);
        self.act(call.json(json!({})), "ExecStandardsRun", rights::STANDARDS_WRITE).await
    }

    /// Blocks sign-in.
    pub async fn disable_user(&self, domain: &str, user_id: &str) -> Result<Acted, VendorError> {
        let body = json!({"tenantFilter": domain, "ID": user_id, "Enable": false});
        self.act_on_person("ExecDisableUser", body).await
    }

    /// Lets sign in again.
    pub async fn enable_user(&self, domain: &str, user_id: &str) -> Result<Acted, VendorError> {
        let body = json!({"tenantFilter": domain, "ID": user_id, "Enable": true});
        self.act_on_person("ExecDisableUser", body).await
    }

    /// Sets a new password, to be changed at the next sign-in.
    pub async fn reset_password(
        &self,
        domain: &str,
        user_id: &str,
        display_name: &str,
    ) -> Result<PasswordReset, VendorError> {
        let body =
            json!({"tenantFilter": domain, "ID": user_id, "MustChange": true, "displayName": display_name});
        let call = Call::post("/api/ExecResetPass").json(body);
        let (acted, answer) = self.acted(call, "ExecResetPass", rights::PEOPLE_WRITE).await?;
        let body = answer.and_then(|it| it.json().ok()).unwrap_or(Value::Null);
        Ok(PasswordReset { acted, password: copied(&body).map(SecretString::from) })
    }

    /// Removes every registered second factor.
    pub async fn reset_mfa(&self, domain: &str, user_id: &str) -> Result<Acted, VendorError> {
        self.act_on_person("ExecResetMFA", json!({"tenantFilter": domain, "ID": user_id})).await
    }

    /// Ends every session.
    pub async fn revoke_sessions(
        &self,
        domain: &str,
        user_id: &str,
        user_principal_name: &str,
    ) -> Result<Acted, VendorError> {
        let body = json!({"tenantFilter": domain, "id": user_id, "Username": user_principal_name});
        self.act_on_person("ExecRevokeSessions", body).await
    }

    /// Hands an account to CIPP's own offboarding, which queues it.
    pub async fn offboard_user(&self, domain: &str, offboarding: &Offboarding) -> Result<Acted, VendorError> {
        let user = &offboarding.user_principal_name;
        let mut body =
            json!({"tenantFilter": label(domain), "user": [label(user)], "Scheduled": {"enabled": false}});
        for step in &offboarding.steps {
            body[*step] = json!(true);
        }
        if let Some(to) = &offboarding.forward_to {
            body["forward"] = label(to);
        }
        if let Some(text) = &offboarding.out_of_office {
            body["OOO"] = json!(text);
        }
        self.act_on_person("ExecOffboardUser", body).await
    }

    pub async fn change_licenses(
        &self,
        domain: &str,
        user_id: &str,
        change: &LicenseChange,
    ) -> Result<Acted, VendorError> {
        let labels = |ids: &[String]| ids.iter().map(|id| label(id)).collect::<Vec<_>>();
        let mut one = json!({"tenantFilter": domain, "userIds": [user_id]});
        match change {
            LicenseChange::RemoveAll => {
                one["LicenseOperation"] = json!("Remove");
                one["RemoveAllLicenses"] = json!(true);
            }
            LicenseChange::Change { add, remove } => {
                one["LicenseOperation"] = json!(if add.is_empty() { "Remove" } else { "Add" });
                one["Licenses"] = json!(labels(add));
                one["LicensesToRemove"] = json!(labels(remove));
            }
        }
        self.act_on_person("ExecBulkLicense", json!([one])).await
    }

    pub async fn set_mailbox_forwarding(
        &self,
        domain: &str,
        user_id: &str,
        to: &Forwarding,
    ) -> Result<Acted, VendorError> {
        let mut body = json!({"tenantFilter": domain, "userID": user_id, "forwardOption": "disabled"});
        if let Forwarding::Internal { to, keeps_copy } = to {
            body["forwardOption"] = json!("internalAddress");
            body["ForwardInternal"] = label(to);
            body["KeepCopy"] = json!(*keeps_copy == Copies::Kept);
        }
        let call = Call::post("/api/ExecEmailForward").json(body);
        self.act(call, "ExecEmailForward", rights::MAILBOXES_WRITE).await
    }

    pub async fn convert_mailbox(
        &self,
        domain: &str,
        user_id: &str,
        kind: MailboxKind,
    ) -> Result<Acted, VendorError> {
        let kind = if kind == MailboxKind::Shared { "Shared" } else { "Regular" };
        let body = json!({"tenantFilter": domain, "ID": user_id, "MailboxType": kind});
        let call = Call::post("/api/ExecConvertMailbox").json(body);
        self.act(call, "ExecConvertMailbox", rights::MAILBOXES_WRITE).await
    }

    async fn act_on_person(&self, endpoint: &'static str, body: Value) -> Result<Acted, VendorError> {
        self.act(Call::post(format!("/api/{endpoint}")).json(body), endpoint, rights::PEOPLE_WRITE).await
    }

    async fn act(
        &self,
        call: Call,
        endpoint: &'static str,
        right: &'static str,
    ) -> Result<Acted, VendorError> {
        self.acted(call, endpoint, right).await.map(|(acted, _)| acted)
    }

    /// An error only where the vendor surely did nothing.
    async fn acted(
        &self,
        call: Call,
        endpoint: &'static str,
        right: &'static str,
    ) -> Result<(Acted, Option<Answer>), VendorError> {
        let unsure = |error: &VendorError| Acted {
            said: Said::Unsure,
            words: error.to_string(),
            id: None,
            observed_at: None,
        };
        match self.answer(call.any_content()).await {
            Ok(answer) => match understood(&answer) {
                Some(acted) => Ok((acted, Some(answer))),
                None => {
                    let error = crate::errors::refusal(&answer, endpoint, right);
                    if error.may_have_been_applied() { Ok((unsure(&error), None)) } else { Err(error) }
                }
            },
            Err(error) if error.may_have_been_applied() => Ok((unsure(&error), None)),
            Err(error) => Err(error),
        }
    }
}

fn label(value: &str) -> Value {
    json!({"label": value, "value": value})
}

fn template_body(template: &NewTemplate) -> Value {
    let mut standards = Map::new();
    for wanted in &template.wanted {
        let name = wanted.setting.strip_prefix(SETTING_PREFIX).unwrap_or(&wanted.setting);
        let mut options = json!({});
        match &wanted.value {
            Value::Bool(true) | Value::Null => {}
            Value::Object(members) => options = Value::Object(members.clone()),
            value => {
                let field = CHOICES.iter().find(|(of, _)| *of == name).map_or("state", |(_, field)| *field);
                let value = value.as_str().map_or_else(|| value.clone(), label);
                options[field] = value;
            }
        }
        let mut nested = Map::new();
        nested.insert(name.to_owned(), options);
        let remediate = json!([{"label": "Remediate", "value": "Remediate"}]);
        standards.insert(name.to_owned(), json!({"action": remediate, "standards": nested}));
    }
    let tenants: Vec<Value> = template.tenants.iter().map(|domain| label(domain)).collect();
    let mut body = json!({
        "templateName": template.name,
        "tenantFilter": tenants,
        "excludedTenants": [],
        "runManually": true,
        "standards": standards,
    });
    if let Some(id) = &template.id {
        body["GUID"] = json!(id);
    }
    body
}

/// `None` where an answer is a refusal and not the vendor's word on the action.
fn understood(answer: &Answer) -> Option<Acted> {
    let acted = |said: Said, words: String, id: Option<String>| Acted {
        said,
        words,
        id,
        observed_at: Some(answer.observed_at),
    };
    let body = answer.json().ok();
    let results = body.as_ref().and_then(|body| Fields(body).get("Results"));
    let id = body.as_ref().and_then(|body| Fields(Fields(body).get("Metadata")?).text("id"));
    if !answer.is_success() {
        let words = said(results.filter(|_| answer.status >= 500)?);
        return Some(acted(Said::Failed, words, id));
    }
    let (verdict, words) = match (results, &body) {
        (Some(results), _) => (verdict(results), said(results)),
        (None, Some(body)) => (verdict(body), said(body)),
        (None, None) => (Said::Unsure, "the answer is not JSON".to_owned()),
    };
    let words = if words.is_empty() { "the answer says nothing".to_owned() } else { words };
    Some(acted(verdict, words, id))
}

/// The worst of what was said.
fn verdict(results: &Value) -> Said {
    match results {
        Value::String(text) => of_text(text),
        Value::Array(items) => {
            let all: Vec<Said> = items.iter().map(verdict).collect();
            let any = |one: Said| all.contains(&one);
            if any(Said::Failed) {
                Said::Failed
            } else if all.is_empty() || any(Said::Unsure) {
                Said::Unsure
            } else {
                Said::Ok
            }
        }
        Value::Object(_) => {
            let at = Fields(results);
            match at.text("state").as_deref() {
                Some("error") => Said::Failed,
                Some("success") => Said::Ok,
                Some(_) => Said::Unsure,
                None => at
                    .text("resultText")
                    .or_else(|| at.text("Results"))
                    .map_or(Said::Unsure, |text| of_text(&text)),
            }
        }
        _ => Said::Unsure,
    }
}

fn of_text(text: &str) -> Said {
    let folded = text.trim().to_lowercase();
    if tells_of_failure(&folded) {
        Said::Failed
    } else if SUCCESSES.iter().any(|word| folded.starts_with(word)) || folded.contains("successfully") {
        Said::Ok
    } else {
        Said::Unsure
    }
}

/// The new password, wherever in the answer.
fn copied(body: &Value) -> Option<String> {
    match body {
        Value::Array(items) => items.iter().find_map(copied),
        Value::Object(members) => {
            let own = Fields(body).text("copyField");
            own.or_else(|| members.values().find_map(copied))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(status: u16, body: &str) -> Option<(Said, String)> {
        let answer = Answer {
            status,
            content_type: "application/json".into(),
            request_id: None,
            location: None,
            observed_at: Timestamp::UNIX_EPOCH,
            body: body.as_bytes().to_vec(),
        };
        understood(&answer).map(|acted| (acted.said, acted.words))
    }

    #[test]
    fn a_200_is_no_success_and_silence_is_unsure() {
        for (body, is) in [
            (r#"{"Results": "Successfully started Standards Run for tenant: a.example"}"#, Said::Ok),
            (r#"{"Results": "Failed to start standards run for tenant: a.example. Error: x"}"#, Said::Failed),
            (r#"{"Results": {"resultText": "Reset", "copyField": "Pw-1", "state": "success"}}"#, Said::Ok),
            (r#"{"Results": {"resultText": "No", "state": "error"}}"#, Said::Failed),
            (r#"{"Results": {"resultText": "Hm", "state": "warning"}}"#, Said::Unsure),
            (r#"{"Results": ["Successfully did a", "Could not do b"]}"#, Said::Failed),
            (r#"{"Results": ["Successfully did a", "Something else"]}"#, Said::Unsure),
            (r#"{"Results": []}"#, Said::Unsure),
            ("{}", Said::Unsure),
            ("", Said::Unsure),
            ("null", Said::Unsure),
            ("Queued", Said::Unsure),
        ] {
            let (said, words) = heard(200, body).unwrap();
            assert_eq!(said, is, "{body}");
            assert!(!words.is_empty() && !words.contains("Pw-1"), "{body}");
        }
        assert_eq!(heard(500, r#"{"Results": "no such user"}"#), Some((Said::Failed, "no such user".into())));
        assert_eq!((heard(500, "boom"), heard(403, "no")), (None, None));
    }

    #[test]
    fn a_template_says_what_is_wanted_in_its_own_words() {
        let wanted = |setting: &str, value: Value| crate::types::Wanted { setting: setting.into(), value };
        let body = template_body(&NewTemplate {
            id: None,
            name: "Baseline".into(),
            tenants: vec!["a.example".into()],
            wanted: vec![
                wanted("standards.AuditLog", json!(true)),
                wanted("standards.sharingCapability", json!("disabled")),
                wanted("standards.SpoofWarn", json!("enabled")),
                wanted("standards.MailContacts", json!({"TechContact": "it@a.example"})),
            ],
        });
        assert_eq!(body["tenantFilter"][0]["value"], "a.example");
        let options = |name: &str| body["standards"][name]["standards"][name].clone();
        assert_eq!(options("AuditLog"), json!({}));
        assert_eq!(options("sharingCapability")["Level"]["value"], "disabled");
        assert_eq!(options("SpoofWarn")["state"]["value"], "enabled");
        assert_eq!(options("MailContacts"), json!({"TechContact": "it@a.example"}));
        assert_eq!(body["standards"]["AuditLog"]["action"][0]["value"], "Remediate");
    }
}
