//! Running a script on a device, and finding out what became of it.
//!
//! The vendor has no idempotency key and never says how a run ended in its answer. So the caller puts its own
//! key into `parameters`, and looks for that key in the device's activities: before sending again, and after.
use connector_api::{Answer, Call, Fact, VendorError};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::client::{NinjaOne, fact};
use crate::errors::NotFoundMeans;
use crate::fields::{Fields, int};
use crate::types::Activity;

/// Longest parameters that are sent.
pub const PARAMETERS_CHARS_MAX: usize = 4_000;

#[derive(Clone, Debug)]
pub struct ScriptRun {
    pub script_id: i64,
    /// Holds the caller's idempotency key somewhere.
    pub parameters: String,
    pub run_as: RunAs,
}

/// A role, or the id of a stored credential. What a device allows is in [`ScriptingOptions::roles`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunAs {
    System,
    LoggedOnUser,
    /// Any other role word, such as `SR_LOCAL_ADMINISTRATOR`.
    Role(String),
    Credential(i64),
}

impl RunAs {
    pub fn as_text(&self) -> String {
        match self {
            Self::System => "system".into(),
            Self::LoggedOnUser => "loggedonuser".into(),
            Self::Role(role) => role.clone(),
            Self::Credential(id) => id.to_string(),
        }
    }
}

/// The forms in which the vendor has been seen to accept a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerShape {
    Integer,
    Id,
    ActivityId,
    JobUid,
    BareUid,
    NoContent,
    /// Accepted, in a form not seen before.
    Unknown,
}

impl AnswerShape {
    /// A stable word for stored receipts.
    pub fn as_word(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Id => "id",
            Self::ActivityId => "activity_id",
            Self::JobUid => "job_uid",
            Self::BareUid => "bare_uid",
            Self::NoContent => "no_content",
            Self::Unknown => "unknown",
        }
    }
}

/// The vendor took the run. That is all it says: the outcome is in the activities.
#[derive(Clone, Debug)]
pub struct ScriptReceipt {
    pub answer_shape: AnswerShape,
    pub id: Option<String>,
    pub request_id: Option<String>,
    pub accepted_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct ScriptingOptions {
    pub scripts: Vec<ScriptChoice>,
    /// Words for [`RunAs`].
    pub roles: Vec<String>,
    pub raw: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptChoice {
    /// Custom scripts have an id, built-in actions a uid.
    pub id: Option<i64>,
    pub uid: Option<String>,
    pub name: Option<String>,
    pub language: Option<String>,
}

/// What the activities say about one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptOutcome {
    /// No trace. With a complete log that began before the run was sent, it was not accepted.
    NotFound,
    /// Accepted and not ended.
    Running {
        series_uid: Option<String>,
    },
    /// The vendor says that the script ended well. Whether it helped has to be read from the device.
    Succeeded {
        series_uid: Option<String>,
        at: Option<Timestamp>,
    },
    Failed {
        series_uid: Option<String>,
        at: Option<Timestamp>,
        message: Option<String>,
    },
}

impl NinjaOne {
    /// Sent once. If the error says [`VendorError::may_have_been_applied`], look for the key before sending again.
    pub async fn run_script(&self, device_id: i64, run: &ScriptRun) -> Result<ScriptReceipt, VendorError> {
        if run.parameters.chars().count() > PARAMETERS_CHARS_MAX {
            let reason = format!("script parameters are over {PARAMETERS_CHARS_MAX} characters");
            return Err(VendorError::Misconfigured { reason });
        }
        let body = json!({
            "type": "SCRIPT",
            "id": run.script_id,
            "parameters": run.parameters,
            "runAs": run.run_as.as_text(),
        });
        let call = Call::post(format!("/v2/device/{device_id}/script/run")).json(body);
        let answer = self.act(call, NotFoundMeans::Record).await?;
        let (answer_shape, id) = shape(&answer);
        Ok(ScriptReceipt { answer_shape, id, request_id: answer.request_id, accepted_at: answer.observed_at })
    }

    pub async fn scripting_options(&self, device_id: i64) -> Result<Fact<ScriptingOptions>, VendorError> {
        let call = Call::get(format!("/v2/device/{device_id}/scripting/options"));
        let answer = self.act(call, NotFoundMeans::Record).await?;
        let raw = answer.json()?;
        let at = Fields(&raw);
        let scripts =
            at.list("scripts").unwrap_or_default().iter().map(|row| ScriptChoice::read(Fields(row)));
        let scripts = scripts.collect();
        let roles = at.at("credentials").map(|credentials| credentials.texts("roles")).unwrap_or_default();
        Ok(fact(&answer, ScriptingOptions { scripts, roles, raw }))
    }

    /// Looks for the run that carries `key`. `newer_than` is an activity id from before it was sent.
    pub async fn find_script_run(
        &self,
        device_id: i64,
        newer_than: Option<i64>,
        key: &str,
    ) -> Result<Fact<ScriptOutcome>, VendorError> {
        let log = self.device_activities(device_id, newer_than).await?;
        Ok(log.map(|log| script_outcome(&log.activities, key)))
    }
}

impl ScriptChoice {
    fn read(at: Fields<'_>) -> Self {
        Self { id: at.int("id"), uid: at.text("uid"), name: at.text("name"), language: at.text("language") }
    }
}

/// Any success is an acceptance: an answer of a new form must not look like a refusal, or it would be sent twice.
fn shape(answer: &Answer) -> (AnswerShape, Option<String>) {
    let text = String::from_utf8_lossy(&answer.body);
    let text = text.trim();
    if text.is_empty() {
        return (AnswerShape::NoContent, None);
    }
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    let at = Fields(&value);
    match &value {
        Value::Number(_) => (AnswerShape::Integer, int(&value).map(|id| id.to_string())),
        Value::String(text) if is_uid(text) => (AnswerShape::BareUid, Some(text.clone())),
        Value::String(text) if text.parse::<i64>().is_ok() => (AnswerShape::Integer, Some(text.clone())),
        Value::Object(_) => [
            ("activityId", AnswerShape::ActivityId),
            ("jobUid", AnswerShape::JobUid),
            ("id", AnswerShape::Id),
        ]
        .into_iter()
        .find_map(|(name, shape)| Some((shape, Some(at.text(name)?))))
        .unwrap_or((AnswerShape::Unknown, None)),
        _ => (AnswerShape::Unknown, None),
    }
}

fn is_uid(text: &str) -> bool {
    text.len() == 36
        && text.chars().enumerate().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// What the activities of a device say about the run that carries `key`. Expects them in ascending order.
pub fn script_outcome(activities: &[Activity], key: &str) -> ScriptOutcome {
    let mut outcome = ScriptOutcome::NotFound;
    if key.is_empty() {
        return outcome;
    }
    let carries = |activity: &&Activity| activity.data().is_some_and(|data| holds(data, key));
    // Later activities of the same run may leave the parameters out: follow its series as well.
    let series = activities.iter().find(carries).and_then(|activity| activity.series_uid.clone());
    let of_run = |activity: &&Activity| {
        carries(activity)
            || series.as_ref().is_some_and(|series| activity.series_uid.as_ref() == Some(series))
    };
    for activity in activities.iter().filter(of_run) {
        let series_uid = activity.series_uid.clone().or_else(|| series.clone());
        let success = activity.result.as_deref().is_none_or(|result| result == "SUCCESS");
        outcome = match activity.status_code.as_str() {
            "COMPLETED" if success => ScriptOutcome::Succeeded { series_uid, at: activity.at },
            "COMPLETED" | "CANCELLED" | "BLOCKED" => {
                ScriptOutcome::Failed { series_uid, at: activity.at, message: activity.message.clone() }
            }
            _ if outcome == ScriptOutcome::NotFound => ScriptOutcome::Running { series_uid },
            _ => outcome,
        };
    }
    outcome
}

fn holds(value: &Value, key: &str) -> bool {
    match value {
        Value::String(text) => text.contains(key),
        Value::Array(items) => items.iter().any(|item| holds(item, key)),
        Value::Object(members) => members.values().any(|member| holds(member, key)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer {
        Answer {
            status: 200,
            content_type: String::new(),
            request_id: None,
            observed_at: Timestamp::UNIX_EPOCH,
            location: None,
            body: body.into(),
        }
    }

    #[test]
    fn every_known_answer_is_an_acceptance() {
        let uid = "3f0e8c9a-0c1b-4d52-9a57-0b1f6c1d2e3f";
        let cases = [
            ("4711".to_owned(), AnswerShape::Integer, Some("4711")),
            (r#"{"id":12}"#.to_owned(), AnswerShape::Id, Some("12")),
            (r#"{"activityId":13}"#.to_owned(), AnswerShape::ActivityId, Some("13")),
            (format!(r#"{{"jobUid":"{uid}"}}"#), AnswerShape::JobUid, Some(uid)),
            (format!("\"{uid}\""), AnswerShape::BareUid, Some(uid)),
            (uid.to_owned(), AnswerShape::BareUid, Some(uid)),
            (String::new(), AnswerShape::NoContent, None),
            (r#"{"queued":true}"#.to_owned(), AnswerShape::Unknown, None),
            ("fine".to_owned(), AnswerShape::Unknown, None),
        ];
        for (body, expected, id) in cases {
            let (shape, found) = shape(&answer(&body));
            assert_eq!((shape, found.as_deref()), (expected, id), "{body}");
        }
    }

    fn activity(id: i64, status: &str, result: &str, data: &Value) -> Activity {
        let row = json!({"id": id, "activityType": "ACTION", "statusCode": status, "activityResult": result,
            "seriesUid": "s-1", "data": data});
        Activity::read(row).unwrap()
    }

    #[test]
    fn a_run_is_found_by_its_key_and_followed_through_its_series() {
        let keyed = json!({"message": {"params": {"parameters": "-Key run-77"}}});
        let start = activity(1, "START_REQUESTED", "", &keyed);
        let ended = activity(3, "COMPLETED", "SUCCESS", &json!({}));
        let failed = activity(3, "COMPLETED", "FAILURE", &json!({}));
        let begun = std::slice::from_ref(&start);
        assert_eq!(script_outcome(begun, "run-78"), ScriptOutcome::NotFound);
        assert_eq!(script_outcome(begun, ""), ScriptOutcome::NotFound);
        assert!(matches!(script_outcome(begun, "run-77"), ScriptOutcome::Running { .. }));
        assert!(matches!(script_outcome(&[start.clone(), ended], "run-77"), ScriptOutcome::Succeeded { .. }));
        assert!(matches!(script_outcome(&[start, failed], "run-77"), ScriptOutcome::Failed { .. }));
    }
}
