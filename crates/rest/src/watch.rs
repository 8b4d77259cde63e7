//! What the product wants to know of reads (who, what, by which shape of question, how many rows), and what it may refuse:
//! exports while they are frozen. Nothing of the answer's body is looked at.
use std::sync::atomic::{AtomicI64, Ordering};

use kernel::{ApiError, ErrorCode, Timestamp};
use pg::{
    Actor, Pg, PgError,
    access::{Read, Shape, Source},
};

use crate::{
    plan::{Arguments, CallPlan, Chosen, Condition, Order, OrderBy, Outcome, Output, Presence, ReadPlan},
    plan::{WriteKind, WritePlan},
    request::{
        Media,
        filter::{Is, Junctor, Quantifier, Sense, Test},
        order::Direction,
    },
    schema::Relation,
};

/// Watches the reads of the product's own database: each is counted, and exports are refused while they are frozen.
#[derive(Clone, Copy, Debug)]
pub struct Watch(pub Exports);

/// How long the database's word that exports are not frozen holds for who reads much.
const FREE_US: i64 = 5_000_000;

/// What counts as an export besides answers in CSV, and how the database says whether exports are frozen.
#[derive(Clone, Copy, Debug)]
pub struct Exports {
    /// Schema, relation and column of what leaves whole.
    pub columns: &'static [(&'static str, &'static str, &'static str)],
    /// Relations with this column have rows that are carried away page by page: whoever read `rows_per_hour_max` of any rows
    /// since the hour began makes an export with every further page of them.
    pub belonging: &'static str,
    pub rows_per_hour_max: u64,
    /// A statement that answers one boolean, for every caller.
    pub frozen_sql: &'static str,
}

/// When the database last said that exports are not frozen, in microseconds since 1970.
#[derive(Debug, Default)]
pub struct Free(AtomicI64);

impl Watch {
    /// An error when this is an export and exports are frozen.
    pub async fn may_leave(
        &self,
        pg: &Pg,
        free: &Free,
        actor: &Actor,
        wish: &Leaving<'_>,
    ) -> Result<(), Refused> {
        let is_export = wish.media == Media::Csv || wish.plan.is_some_and(|plan| self.0.is_in(plan));
        // Nobody has nothing to take out.
        if actor.is_anonymous() || !(is_export || self.0.is_bulk(pg, actor, wish)) {
            return Ok(());
        }
        let now_us = wish.at.as_microsecond();
        if !is_export && now_us - free.0.load(Ordering::Relaxed) < FREE_US {
            return Ok(());
        }
        let rows = pg.one_shot_read(actor, self.0.frozen_sql, &[]).await.map_err(Refused::Unknown)?;
        if rows.last().and_then(|row| row.boolean(0)) == Some(false) {
            if !is_export {
                free.0.store(now_us, Ordering::Relaxed);
            }
            return Ok(());
        }
        let frozen = ApiError::new(ErrorCode::ExportsFrozen, "Exports are frozen.")
            .hint("An owner lifts the freeze under Security, with a reason.");
        Err(Refused::Frozen(if is_export {
            frozen.details("The isolation of customers was seen to be broken; nothing leaves as an export until that is looked into.")
        } else {
            frozen.details(format!(
                "The isolation of customers was seen to be broken; until that is looked into nobody reads more than {} rows in an hour.",
                self.0.rows_per_hour_max
            ))
        }))
    }

    pub fn read(&self, seen: &Seen<'_>, plan: &ReadPlan<'_>, media: Media) {
        let source = match media {
            Media::Csv => Source::Csv,
            _ if self.0.is_in(plan) => Source::Export,
            _ => Source::Rest,
        };
        seen.note(source, of(plan.relation), |shape| level(shape, plan));
    }

    pub fn written(&self, seen: &Seen<'_>, plan: &WritePlan<'_>) {
        seen.note(Source::Write, of(plan.read.relation), |shape| {
            match &plan.kind {
                WriteKind::Insert { .. } => shape.push("insert&"),
                WriteKind::Update { rows, .. } => chosen(shape, "update&", rows),
                WriteKind::Delete { rows } => chosen(shape, "delete&", rows),
            }
            level(shape, &plan.read);
        });
    }

    pub fn called(&self, seen: &Seen<'_>, name: (&str, &str), plan: &CallPlan<'_>) {
        seen.note(Source::Rpc, name, |shape| {
            shape.push("(");
            match &plan.arguments {
                Arguments::Body { given, .. } => {
                    list(shape, given.iter().map(|argument| argument.name.as_str()))
                }
                Arguments::Texts(given) => {
                    list(shape, given.iter().map(|(argument, _)| argument.name.as_str()));
                }
                Arguments::Whole { .. } => shape.push("body"),
            }
            shape.push(")");
            if let Outcome::Rows(read, _) | Outcome::Values(read) = &plan.outcome {
                shape.push("&");
                level(shape, read);
            }
        });
    }
}

/// An answer that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Leaving<'a> {
    pub media: Media,
    pub plan: Option<&'a ReadPlan<'a>>,
    pub at: Timestamp,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub pg: &'a Pg,
    pub actor: &'a Actor,
    pub rows: i64,
    pub at: Timestamp,
}

impl Seen<'_> {
    fn note(&self, source: Source, subject: (&str, &str), describe: impl FnOnce(&mut Shape<'_>)) {
        let rows = u64::try_from(self.rows).unwrap_or(0);
        let read = Read { reader: self.actor.into(), source, subject, rows, at: self.at };
        self.pg.access().note(&read, describe);
    }
}

/// Why an export is not made.
#[derive(Debug)]
pub enum Refused {
    Frozen(ApiError),
    /// The database did not say; then nothing leaves either.
    Unknown(PgError),
}

impl Exports {
    fn is_bulk(&self, pg: &Pg, actor: &Actor, wish: &Leaving<'_>) -> bool {
        let is_much = |user| pg.access().volume(user, wish.at).rows >= self.rows_per_hour_max;
        wish.plan.is_some_and(|plan| self.belongs(plan)) && actor.user.is_some_and(is_much)
    }

    fn belongs(&self, plan: &ReadPlan<'_>) -> bool {
        plan.relation.columns.contains_key(self.belonging)
            || plan.embeds.iter().any(|embed| self.belongs(&embed.plan))
    }

    /// Whether a column that is an export stands among the outputs, at any depth.
    fn is_in(&self, plan: &ReadPlan<'_>) -> bool {
        let relation = plan.relation;
        let is_embedded = || plan.embeds.iter().any(|embed| self.is_in(&embed.plan));
        if !self.columns.iter().any(|(schema, name, _)| *name == relation.name && *schema == relation.schema)
        {
            return is_embedded();
        }
        let is_one = |column: &str| self.columns.contains(&(&*relation.schema, &*relation.name, column));
        let is_own = plan.outputs.iter().any(|output| match output {
            Output::All => relation.columns.keys().any(|column| is_one(column)),
            Output::Column { of, .. } | Output::Aggregate { of: Some(of), .. } => is_one(&of.column.name),
            Output::Aggregate { of: None, .. } | Output::Embed(_) => false,
        });
        is_own || is_embedded()
    }
}

fn of(relation: &Relation) -> (&str, &str) {
    (&relation.schema, &relation.name)
}

fn list<'a>(shape: &mut Shape<'_>, names: impl Iterator<Item = &'a str>) {
    for (place, name) in names.enumerate() {
        if place > 0 {
            shape.push(",");
        }
        shape.push(name);
    }
}

/// `select=id,name,site(name)&state=in&order=name`
fn level(shape: &mut Shape<'_>, plan: &ReadPlan<'_>) {
    shape.push("select=");
    outputs(shape, plan);
    for condition in &plan.filters {
        shape.push("&");
        test(shape, plan, condition);
    }
    if !plan.order.is_empty() {
        shape.push("&order=");
        for (place, order) in plan.order.iter().enumerate() {
            if place > 0 {
                shape.push(",");
            }
            ordering(shape, plan, order);
        }
    }
    if plan.window.offset > 0 {
        shape.push("&offset");
    }
}

fn outputs(shape: &mut Shape<'_>, plan: &ReadPlan<'_>) {
    for (place, output) in plan.outputs.iter().enumerate() {
        if place > 0 {
            shape.push(",");
        }
        match output {
            Output::All => shape.push("*"),
            Output::Column { of, .. } => {
                shape.push(&of.column.name);
                if !of.path.is_empty() {
                    // The keys below are the caller's own words.
                    shape.push("->");
                }
            }
            Output::Embed(_) => shape.push("+"),
            Output::Aggregate { function, of, .. } => {
                shape.push(of.as_ref().map_or("", |of| of.column.name.as_str()));
                shape.push(".");
                shape.push(function.name());
            }
        }
    }
    for embed in &plan.embeds {
        shape.push(",");
        shape.push(&embed.plan.relation.name);
        shape.push("(");
        level(shape, &embed.plan);
        shape.push(")");
    }
}

fn ordering(shape: &mut Shape<'_>, plan: &ReadPlan<'_>, order: &Order<'_>) {
    match &order.by {
        OrderBy::Own(of) => shape.push(&of.column.name),
        OrderBy::Related { index, of } => {
            shape.push(plan.embeds.get(*index).map_or("", |embed| embed.plan.relation.name.as_str()));
            shape.push(".");
            shape.push(&of.column.name);
        }
    }
    if order.direction == Some(Direction::Descending) {
        shape.push(".desc");
    }
}

fn test(shape: &mut Shape<'_>, plan: &ReadPlan<'_>, condition: &Condition<'_>) {
    match condition {
        Condition::Test { of, sense, test } => {
            shape.push(&of.column.name);
            shape.push(if of.path.is_empty() { "=" } else { "->=" });
            if *sense == Sense::Negated {
                shape.push("not.");
            }
            operator(shape, test);
        }
        Condition::Node { sense, join, children } => {
            if *sense == Sense::Negated {
                shape.push("not.");
            }
            shape.push(if *join == Junctor::Or { "or(" } else { "and(" });
            for (place, child) in children.iter().enumerate() {
                if place > 0 {
                    shape.push(",");
                }
                self::test(shape, plan, child);
            }
            shape.push(")");
        }
        Condition::Embed { index, presence } => {
            shape.push(plan.embeds.get(*index).map_or("", |embed| embed.plan.relation.name.as_str()));
            shape.push(if *presence == Presence::Some { "=not.is.null" } else { "=is.null" });
        }
    }
}

fn operator(shape: &mut Shape<'_>, test: &Test) {
    match test {
        Test::Compare { op, quantifier, .. } => {
            shape.push(op.word());
            match quantifier {
                Some(Quantifier::Any) => shape.push("(any)"),
                Some(Quantifier::All) => shape.push("(all)"),
                None => {}
            }
        }
        Test::In(_) => shape.push("in"),
        Test::Is(is) => shape.push(match is {
            Is::Null => "is.null",
            Is::NotNull => "is.not_null",
            Is::True | Is::False | Is::Unknown => "is",
        }),
        Test::Search { .. } => shape.push("fts"),
    }
}

fn chosen(shape: &mut Shape<'_>, verb: &str, rows: &Chosen<'_>) {
    shape.push(verb);
    match rows {
        Chosen::By(conditions) => {
            for condition in conditions {
                if let Condition::Test { of, test, .. } = condition {
                    shape.push(&of.column.name);
                    shape.push("=");
                    operator(shape, test);
                    shape.push("&");
                }
            }
        }
        Chosen::First { .. } => shape.push("limit&"),
    }
}
