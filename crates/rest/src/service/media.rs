//! Which form an answer has, when the database makes forms itself.
use axum::http::header;
use kernel::ApiError;

use super::Asked;
use crate::{
    error,
    plan::{CallPlan, Outcome},
    request::{Head, Media, Nulls, Verb},
    schema::{Relation, Schema},
    sql::Body as Wanted,
};

/// A body that the database makes, and its media type.
pub(super) struct Handled<'s> {
    body: Wanted<'s>,
    content_type: String,
}

impl Handled<'_> {
    /// Told of the answer: neither one object nor a plan.
    pub fn head(&self, head: Head) -> Head {
        Head { media: Media::Json(Nulls::Kept), handled: Some(self.content_type.clone()), ..head }
    }
}

/// As what the answer leaves: a document that the database makes is one like CSV.
pub(super) fn leaves_as(handled: Option<&Handled<'_>>, media: Media) -> Media {
    if handled.is_some() { Media::Csv } else { media }
}

impl Asked {
    pub(super) fn accept(&self) -> &str {
        self.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body that is wanted of rows of a relation; 406 when nobody makes what is accepted.
    pub(super) fn handled<'s>(
        &self,
        schema: &'s Schema,
        relation: &'s Relation,
    ) -> Result<Option<Handled<'s>>, ApiError> {
        let handled = self.by_handler(schema, relation);
        if handled.is_none() && self.head.accepted.rows.is_none() {
            return Err(error::media(self.accept()));
        }
        Ok(handled)
    }

    /// The same of a function's result; the forms of this API are looked at elsewhere.
    pub(super) fn handled_result<'s>(&self, schema: &'s Schema, plan: &CallPlan<'s>) -> Option<Handled<'s>> {
        match &plan.outcome {
            Outcome::Value(_) => {
                let own = plan.function.media.as_ref()?;
                let content_type = own.chosen(self.accept(), Media::is_built_in)?;
                Some(Handled { body: Wanted::Own(own.form), content_type })
            }
            Outcome::Rows(read, _) => self.by_handler(schema, read.relation),
            Outcome::Nothing | Outcome::Values(_) => None,
        }
    }

    fn by_handler<'s>(&self, schema: &'s Schema, relation: &'s Relation) -> Option<Handled<'s>> {
        // Columns of a function's own are no relation's rows.
        if schema.handlers.is_empty()
            || relation.sql.is_empty()
            || matches!(self.head.accepted.rows, Some(Media::Plan(_)))
        {
            return None;
        }
        let (handler, content_type) = schema.handler(self.accept(), relation.id, Media::is_built_in)?;
        Some(Handled { body: Wanted::Handled(handler, &relation.sql), content_type })
    }

    pub(super) fn body_wanted<'s>(&self, handled: Option<&Handled<'s>>, media: Media) -> Wanted<'s> {
        match (handled, media) {
            _ if self.head.verb == Verb::Head => Wanted::None,
            (Some(handled), _) => handled.body,
            (None, Media::Plan(_)) => Wanted::Media(Media::Json(Nulls::Kept)),
            (None, media) => Wanted::Media(media),
        }
    }
}
