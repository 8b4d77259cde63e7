//! `$batch`: up to twenty reads in one call. Answers come in any order and fail one by one; the throttled ones are asked
//! again alone, after the time that each of them named.
use std::collections::HashMap;
use std::time::Duration;

use connector_api::{Answer, CLASS_COMMON, Call, VendorError};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{TenantClient, fact, parsed};
use crate::errors::{self, About};
use crate::sign_in::PerId;
use crate::types::Raw;

/// The vendor's limit.
const CALLS_PER_BATCH_MAX: usize = 20;
const BATCH: About = About::list("", "batches");

#[derive(Deserialize)]
struct Responses {
    responses: Vec<Response>,
}

#[derive(Deserialize)]
struct Response {
    id: String,
    status: u16,
    #[serde(default)]
    headers: HashMap<String, Value>,
    body: Option<Raw>,
}

impl Response {
    fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?.1;
        let seconds = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())?;
        Some(Duration::from_secs(seconds))
    }
}

impl TenantClient {
    /// One outcome for each id, in the order of `ids`. `path` makes the relative address.
    pub(crate) async fn batch<T>(
        &self,
        at: &str,
        ids: &[String],
        path: impl Fn(&str) -> String,
        about: About,
        read: impl Fn(Raw) -> Result<T, VendorError>,
    ) -> Vec<PerId<T>> {
        let mut all = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CALLS_PER_BATCH_MAX) {
            all.extend(self.chunk(at, chunk, &path, about, &read).await);
        }
        all
    }

    async fn chunk<T>(
        &self,
        at: &str,
        ids: &[String],
        path: &impl Fn(&str) -> String,
        about: About,
        read: &impl Fn(Raw) -> Result<T, VendorError>,
    ) -> Vec<PerId<T>> {
        let mut done: HashMap<usize, Result<connector_api::Fact<T>, VendorError>> = HashMap::new();
        let (mut waited, mut attempt) = (Duration::ZERO, 1);
        loop {
            let open: Vec<usize> = (0..ids.len()).filter(|index| !done.contains_key(index)).collect();
            let sent = self.round(at, ids, &open, path).await;
            let (answer, responses) = match sent {
                Ok(sent) => sent,
                Err(error) => {
                    done.extend(open.into_iter().map(|index| (index, Err(error.clone()))));
                    break;
                }
            };
            let mut asked: Option<Duration> = None;
            for (index, response) in responses {
                if response.status == 429 || response.status == 503 {
                    asked = asked.max(response.retry_after());
                    continue;
                }
                done.insert(index, outcome(&answer, response, about, read));
            }
            if done.len() == ids.len() {
                break;
            }
            let jitter = rand::random_range(0.0..=1.0);
            let Some(wait) = self.config().retry.wait(attempt, waited, asked, jitter) else {
                let throttled = VendorError::Throttled { retry_after: asked };
                for index in 0..ids.len() {
                    done.entry(index).or_insert_with(|| Err(throttled.clone()));
                }
                break;
            };
            tokio::time::sleep(wait).await;
            waited += wait;
            attempt += 1;
        }
        let missing = || Err(VendorError::shape("$.responses", "no answer to one call of the batch"));
        let of = |(index, id): (usize, &String)| PerId {
            id: id.clone(),
            outcome: done.remove(&index).unwrap_or_else(missing),
        };
        ids.iter().enumerate().map(of).collect()
    }

    /// Asks for the open ones. An answer that is missing counts as throttled by the caller: it is asked again.
    async fn round(
        &self,
        at: &str,
        ids: &[String],
        open: &[usize],
        path: &impl Fn(&str) -> String,
    ) -> Result<(Answer, Vec<(usize, Response)>), VendorError> {
        let request =
            |index: &usize| json!({"id": index.to_string(), "method": "GET", "url": path(&ids[*index])});
        let requests: Vec<Value> = open.iter().map(request).collect();
        let inner = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        let call =
            Call::post(at).json(json!({"requests": requests})).changes_nothing().class(CLASS_COMMON, inner);
        let answer = self.call(call, BATCH).await?;
        let body: Responses = parsed(&answer)?;
        let known = |response: Response| {
            let index = response.id.parse().ok().filter(|index| open.contains(index))?;
            Some((index, response))
        };
        let responses = body.responses.into_iter().filter_map(known).collect();
        Ok((answer, responses))
    }
}

fn outcome<T>(
    answer: &Answer,
    response: Response,
    about: About,
    read: &impl Fn(Raw) -> Result<T, VendorError>,
) -> Result<connector_api::Fact<T>, VendorError> {
    if (200..300).contains(&response.status) {
        let body =
            response.body.ok_or_else(|| VendorError::shape("$.responses", "an answer without a body"))?;
        return Ok(fact(answer, read(body)?));
    }
    let body = response.body.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or(Value::Null);
    Err(errors::refusal(response.status, &body, about))
}
