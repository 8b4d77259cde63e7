use std::{borrow::Cow, sync::Arc};

use axum::{body::Body, http::Response};
use kernel::ApiError;
use pg::TxEnd;

use super::{Asked, Inner, Target, media};
use crate::{
    config::{RestConfig, TxChoice},
    error::{self, Failure},
    plan,
    request::{
        Content, Media, Nulls, Verb,
        body::{KeyRule, Payload, Shape},
        prefer::{Handling, Returning, Tx},
        query::{Parameters, Query},
    },
    response,
    schema::Schema,
    sql::{self, Keep},
    transaction::Mode,
};

impl Asked {
    pub(super) async fn write(
        &self,
        state: &Inner,
        schema: &Arc<Schema>,
        profile: &str,
    ) -> Result<Response<Body>, Failure> {
        let config = &state.config;
        let relation = schema.relation(profile, &self.name)?;
        let handled = self.handled(schema, relation)?;
        let media = if handled.is_some() { Media::Json(Nulls::Kept) } else { self.head.media };
        let query = Query::parse(&self.parameters, config, |_| false)?;
        let prefer = &self.head.prefer;
        let payload;
        let plan = match self.head.verb {
            Verb::Insert => {
                let rule = if query.columns.is_some() { KeyRule::Any } else { KeyRule::AllTheSame };
                payload = self.payload(rule, config.bulk_rows_max)?;
                plan::insert(schema, relation, &query, &payload, prefer, config)?
            }
            Verb::Put => {
                payload = self.one_row()?;
                plan::put(schema, relation, &query, &payload, prefer, config)?
            }
            Verb::Update => {
                payload = self.one_row()?;
                plan::update(schema, relation, &query, &payload, prefer, config)?
            }
            _ => plan::delete(schema, relation, &query, prefer, config)?,
        };
        self.may_leave(state, media::leaves_as(handled.as_ref(), media), Some(&plan.read)).await?;
        let body = self.body_wanted(handled.as_ref(), media);
        let main = sql::write(self.sql(), schema, &plan, body, self.keep(media));
        let (head, actor) = self.settled(state, schema).await?;
        let answer = self.run(state, &actor, main, Mode::Write(self.tx_end(config))).await?;
        if matches!(media, Media::Plan(_)) {
            return Ok(response::plan(answer, media));
        }
        let head = match handled {
            Some(handled) => Cow::Owned(handled.head(head.into_owned())),
            None => head,
        };
        if self.head.verb == Verb::Put && answer.rows == 0 {
            return Err(error::put_key_differs().into());
        }
        let rows = answer.rows;
        let response =
            response::written(answer, &head, (&relation.name, &relation.primary_key), &config.base_path)?;
        if let Some(watch) = &state.watch
            && plan.returning == Returning::Representation
        {
            watch.written(&self.seen(state, rows), &plan);
        }
        Ok(response)
    }

    pub(super) fn tx_end(&self, config: &RestConfig) -> TxEnd {
        match (config.tx_end, self.head.prefer.tx) {
            (TxChoice::AlwaysCommit, _) => TxEnd::Commit,
            (TxChoice::AlwaysRollBack, _) => TxEnd::Rollback,
            (TxChoice::CallerMayRollBack, Some(Tx::Rollback)) => TxEnd::Rollback,
            (TxChoice::CallerMayRollBack, _) | (TxChoice::CallerMayCommit, Some(Tx::Commit)) => TxEnd::Commit,
            (TxChoice::CallerMayCommit, _) => TxEnd::Rollback,
        }
    }

    /// The number of rows that a write is kept with.
    pub(super) fn keep(&self, media: Media) -> Keep {
        let prefer = &self.head.prefer;
        let answers_one = matches!(media, Media::Object(_))
            && (self.target == Target::Function || prefer.returning == Some(Returning::Representation));
        match prefer.max_affected.filter(|_| prefer.handling == Some(Handling::Strict)) {
            _ if matches!(media, Media::Plan(_)) => Keep::Any,
            _ if answers_one => Keep::One,
            Some(most) => Keep::AtMost(most),
            None => Keep::Any,
        }
    }

    fn payload(&self, rule: KeyRule, rows_max: usize) -> Result<Payload, ApiError> {
        match self.head.content {
            Content::Json => Payload::json(self.body.clone(), rule, rows_max),
            Content::Csv => Payload::csv(&self.body, rows_max),
            Content::Form => Payload::form(&self.form()?.0),
            Content::Text => Err(error::content_type("text/plain")),
            Content::Xml => Err(error::content_type("text/xml")),
            Content::Bytes => Err(error::content_type("application/octet-stream")),
        }
    }

    fn one_row(&self) -> Result<Payload, ApiError> {
        let payload = self.payload(KeyRule::AllTheSame, 1)?;
        let is_one = payload.shape == Shape::Object || self.head.content == Content::Csv && payload.rows == 1;
        if is_one { Ok(payload) } else { Err(error::body("expected one object with the new values")) }
    }

    /// The pairs of a form.
    pub(super) fn form(&self) -> Result<Parameters, ApiError> {
        let text = std::str::from_utf8(&self.body).map_err(|_| error::body("the body is not UTF-8"))?;
        Parameters::decode(text)
    }
}
