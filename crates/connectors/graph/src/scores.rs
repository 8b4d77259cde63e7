//! The secure score that Microsoft works out for a tenant, once a day.
use connector_api::{Call, Fact, VendorError};
use jiff::Timestamp;

use crate::client::{TenantClient, fact, page};
use crate::errors::About;
use crate::fields::Fields;
use crate::permissions;
use crate::types::{Raw, members};

pub(crate) const SECURE_SCORES: &str = "/v1.0/security/secureScores";
/// Controls of one score that are kept; the vendor has about a hundred.
const CONTROLS_MAX: usize = 200;

#[derive(Clone, Debug, PartialEq)]
pub struct ControlScore {
    pub name: String,
    pub category: Option<String>,
    pub score: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SecureScore {
    pub at: Timestamp,
    pub current: f64,
    pub max: f64,
    pub controls: Vec<ControlScore>,
}

impl SecureScore {
    pub(crate) fn read(raw: Raw) -> Result<Self, VendorError> {
        let row = members(&raw)?;
        let at = Fields(&row);
        let number = |name: &str| {
            let value =
                row.get(name).and_then(serde_json::Value::as_f64).filter(|it| it.is_finite() && *it >= 0.0);
            value.ok_or_else(|| VendorError::shape(format!("$.{name}"), "not a number"))
        };
        let max = number("maxScore")?;
        if max <= 0.0 {
            return Err(VendorError::shape("$.maxScore", "no points can be had"));
        }
        let controls = at.objects("controlScores").into_iter().flatten().filter_map(|it| {
            let score = it.0.get("score").and_then(serde_json::Value::as_f64)?;
            Some(ControlScore { name: it.text("controlName")?, category: it.text("controlCategory"), score })
        });
        Ok(Self {
            at: at
                .time("createdDateTime")
                .ok_or_else(|| VendorError::shape("$.createdDateTime", "not a time"))?,
            current: number("currentScore")?,
            max,
            controls: controls.take(CONTROLS_MAX).collect(),
        })
    }
}

impl TenantClient {
    /// The newest scores, newest first, of so many days at most. One that cannot be read is an error: it would be a gap in the trend.
    pub async fn secure_scores(&self, days: usize) -> Result<Fact<Vec<SecureScore>>, VendorError> {
        let about = About::list(permissions::SECURE_SCORE, "secure score");
        let answer = self.call(Call::get(SECURE_SCORES).query("$top", days), about).await?;
        let page = page(&answer, SecureScore::read)?;
        if page.items.len() < page.raw_count {
            return Err(VendorError::shape("$.value", "a score could not be read"));
        }
        let mut scores = page.items;
        scores.sort_by_key(|it| std::cmp::Reverse(it.at));
        scores.truncate(days);
        Ok(fact(&answer, scores))
    }
}
