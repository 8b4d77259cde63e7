use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::Response,
};
use kernel::ApiError;
use pg::{Actor, Pace};

use super::{Asked, Inner, media};
use crate::{
    config::RestConfig,
    error::{self, Failure},
    plan::{self, Given, Outcome},
    request::{
        Content, Head, Media, Nulls, Verb, Window,
        body::{KeyRule, Payload, Shape},
        prefer::Handling,
        query::Query,
    },
    response::{self, IsVoid},
    schema::{Function, Rows, Scalar, Schema, Volatility, WholeBody},
    sql::{self, Keep},
    transaction::Mode,
};

/// The arguments as they came.
enum Input {
    /// In the query string or a form: among the query's arguments.
    Named,
    Object(Payload),
    /// One value for a function that takes it whole.
    Whole(WholeBody, String),
}

impl Asked {
    pub(super) async fn call(
        &self,
        state: &Inner,
        schema: &Arc<Schema>,
        profile: &str,
    ) -> Result<Response<Body>, Failure> {
        let config = &state.config;
        let overloads = schema.overloads(profile, &self.name);
        let by_query = self.head.verb != Verb::Insert;
        let is_argument = |key: &str| {
            let takes = |function: &Function| function.arguments.iter().any(|argument| argument.name == key);
            by_query && overloads.iter().any(takes)
        };
        let mut query = Query::parse(&self.parameters, config, is_argument)?;
        let input = if by_query { Input::Named } else { self.input(overloads)? };
        if matches!(input, Input::Named) && !by_query {
            query.arguments = self.form()?.0;
        }
        let given = match &input {
            Input::Named => Given::Query,
            Input::Object(payload) => Given::Payload(payload),
            Input::Whole(kind, text) => Given::Whole(*kind, text),
        };
        let mut plan = plan::call(schema, profile, &self.name, &query, given, config)?;
        let mut window = Window::default();
        if let Outcome::Rows(read, _) | Outcome::Values(read) = &mut plan.outcome {
            if let Some(range) = self.head.range {
                read.narrow(range);
            }
            window = read.window;
        }
        let handled = self.handled_result(schema, &plan);
        let media = match handled {
            Some(_) => Media::Json(Nulls::Kept),
            None => self.media_of(&plan.outcome)?,
        };
        let leaving = match &plan.outcome {
            Outcome::Rows(read, _) | Outcome::Values(read) => Some(read),
            Outcome::Nothing | Outcome::Value(_) => None,
        };
        self.may_leave(state, media::leaves_as(handled.as_ref(), media), leaving).await?;
        let wanted = self.body_wanted(handled.as_ref(), media);
        let (mode, keep) = self.call_mode(&plan, config, media)?;
        let main = sql::call(self.sql(), schema, &plan, self.head.prefer.count, wanted, keep);
        let (head, mut actor) = self.settled(state, schema).await?;
        hoist(&mut actor, &plan, config);
        let head = match &handled {
            Some(handled) => handled.head(head.into_owned()),
            None => Head { media, ..head.into_owned() },
        };
        let answer = self.run(state, &actor, main, mode).await?;
        let rows = answer.rows;
        let response = match &plan.outcome {
            _ if matches!(media, Media::Plan(_)) => response::plan(answer, media),
            Outcome::Nothing => response::value(answer, &head, IsVoid::Yes)?,
            Outcome::Value(_) => response::value(answer, &head, IsVoid::No)?,
            Outcome::Rows(_, Rows::One) if media != Media::Csv && handled.is_none() => {
                response::value(answer, &head, IsVoid::No)?
            }
            Outcome::Rows(..) | Outcome::Values(_) => response::read(answer, &head, window)?,
        };
        if let Some(watch) = &state.watch {
            watch.called(&self.seen(state, rows), (profile, &self.name), &plan);
        }
        Ok(response)
    }

    /// By GET nothing is written, whatever the function says; a function that only reads needs no more either.
    fn call_mode<'a>(
        &self,
        plan: &plan::CallPlan<'_>,
        config: &RestConfig,
        media: Media,
    ) -> Result<(Mode<'a>, Keep), ApiError> {
        let prefer = &self.head.prefer;
        let is_limited = prefer.max_affected.is_some() && prefer.handling == Some(Handling::Strict);
        let is_set = matches!(plan.outcome, Outcome::Values(_) | Outcome::Rows(_, Rows::Many));
        if is_limited && !is_set {
            return Err(error::no_set_to_limit());
        }
        Ok(match plan.function.volatility {
            Volatility::Volatile if self.head.verb == Verb::Insert => {
                (Mode::Write(self.tx_end(config)), self.keep(media))
            }
            _ => (Mode::Read(Pace::Unknown), Keep::Any),
        })
    }

    /// The first form of `Accept` that this result has.
    fn media_of(&self, outcome: &Outcome<'_>) -> Result<Media, ApiError> {
        let accepted = self.head.accepted;
        let fits = match (accepted.first, outcome) {
            (_, Outcome::Nothing) => return Ok(accepted.rows.unwrap_or(Media::Json(Nulls::Kept))),
            (Some(Media::Text), Outcome::Value(scalar)) => *scalar != Scalar::Bytes,
            (Some(Media::Bytes), Outcome::Value(scalar)) => *scalar == Scalar::Bytes,
            (Some(Media::Xml), Outcome::Value(scalar)) => *scalar == Scalar::Xml,
            _ => false,
        };
        let media = if fits { accepted.first } else { accepted.rows };
        media.ok_or_else(|| error::media(self.accept()))
    }

    fn input(&self, overloads: &[Function]) -> Result<Input, ApiError> {
        let takes = |kind: WholeBody| {
            overloads.iter().any(|function| function.whole_body.as_ref().is_some_and(|whole| whole.0 == kind))
        };
        let text = || std::str::from_utf8(&self.body).map_err(|_| error::body("the body is not UTF-8"));
        Ok(match self.head.content {
            Content::Json => match self.object() {
                Ok(payload) if self.is_named(overloads, &payload) || !takes(WholeBody::Json) => {
                    Input::Object(payload)
                }
                Err(failure) if !takes(WholeBody::Json) => return Err(failure),
                Ok(_) | Err(_) => Input::Whole(WholeBody::Json, text()?.to_owned()),
            },
            Content::Form => Input::Named,
            Content::Text if takes(WholeBody::Text) => Input::Whole(WholeBody::Text, text()?.to_owned()),
            Content::Xml if takes(WholeBody::Xml) => Input::Whole(WholeBody::Xml, text()?.to_owned()),
            Content::Bytes if takes(WholeBody::Bytes) => Input::Whole(WholeBody::Bytes, hex(&self.body)),
            Content::Text => return Err(error::content_type("text/plain")),
            Content::Xml => return Err(error::content_type("text/xml")),
            Content::Bytes => return Err(error::content_type("application/octet-stream")),
            Content::Csv => return Err(error::content_type("text/csv")),
        })
    }

    fn is_named(&self, overloads: &[Function], payload: &Payload) -> bool {
        let given: Vec<&str> = payload.keys.iter().map(String::as_str).collect();
        !plan::candidates(overloads, &given).is_empty()
    }

    fn object(&self) -> Result<Payload, ApiError> {
        let body = if self.body.is_empty() { Bytes::from_static(b"{}") } else { self.body.clone() };
        let payload = Payload::json(body, KeyRule::AllTheSame, 1)?;
        if payload.shape == Shape::Object {
            Ok(payload)
        } else {
            Err(error::body("expected one object with the arguments"))
        }
    }
}

/// In another's database some settings of a function hold for its whole transaction: inside of the function they would
/// come too late.
fn hoist(actor: &mut Cow<'_, Actor>, plan: &plan::CallPlan<'_>, config: &RestConfig) {
    let is_hoisted = |name: &str| config.hoisted_settings.iter().any(|hoisted| hoisted == name);
    if actor.foreign().is_some() {
        for (name, value) in plan.function.settings.iter().filter(|(name, _)| is_hoisted(name)) {
            if let Some(caller) = actor.to_mut().foreign_mut() {
                caller.set(name, value);
            }
        }
    }
}

/// `bytea` as PostgreSQL reads it.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + bytes.len() * 2);
    text.push_str("\\x");
    for byte in bytes {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}
