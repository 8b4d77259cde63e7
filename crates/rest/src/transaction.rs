//! Fourth stage: the statement as one transaction of the caller, in one write. What decides whether to keep it stands
//! in the statement itself (see `sql::stop`).
use axum::body::Bytes;
use pg::{Actor, Pace, Pg, PgError, RawRow, TxEnd};

use crate::{
    error::{self, Failure},
    request::Verb,
    sql::Sql,
};

#[derive(Debug)]
pub struct Statement<'a> {
    pub verb: Verb,
    pub main: Sql<'a>,
    pub mode: Mode<'a>,
}

#[derive(Debug)]
pub enum Mode<'a> {
    /// PostgreSQL refuses writes.
    Read(Pace),
    /// Read, and ask the planner how many rows there are in all.
    ReadEstimated {
        estimate: Sql<'a>,
        known_up_to: Option<i64>,
    },
    Write(TxEnd),
    /// Asks for the plan; whatever that does is undone.
    Explain(Access),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    ReadOnly,
    Write,
}

#[derive(Debug)]
pub struct Answer {
    /// Rows there are without limit and offset, when asked for.
    pub total: Option<i64>,
    /// Rows answered or written.
    pub rows: i64,
    pub body: Bytes,
    /// Primary key of the one written row, as a JSON list of texts.
    pub key: Option<String>,
    /// `response.headers` and `response.status`, as a function or trigger set them.
    pub headers: Option<String>,
    pub status: Option<String>,
    /// Of an upsert, how many of the rows were there before.
    pub updated: Option<i64>,
}

pub async fn run(pg: &Pg, actor: &Actor, statement: &Statement<'_>) -> Result<Answer, Failure> {
    let told = |failure: PgError| error::from_pg(&failure, actor, statement.verb);
    let text = statement.main.text.as_str();
    let params = texts(&statement.main);
    let rows = match &statement.mode {
        Mode::Read(pace) => pg.paced_read(actor, *pace, text, &params).await,
        Mode::Explain(Access::ReadOnly) => pg.one_shot_read(actor, text, &params).await,
        Mode::ReadEstimated { estimate, .. } => {
            let estimated = texts(estimate);
            pg.read_in_turn(actor, &[(text, &params), (&estimate.text, &estimated)]).await
        }
        Mode::Write(end) => pg.one_shot(actor, text, &params, *end).await,
        Mode::Explain(Access::Write) => pg.one_shot(actor, text, &params, TxEnd::Rollback).await,
    };
    let rows = rows.map_err(told)?;
    match (&statement.mode, rows.as_slice()) {
        (Mode::Explain(_), lines) => Ok(explained(lines)),
        (Mode::ReadEstimated { known_up_to, .. }, [row, plan]) => {
            Ok(estimated(answer(row), plan, *known_up_to))
        }
        (_, [row]) => Ok(answer(row)),
        _ => Err(told(PgError::row_count())),
    }
}

/// What the planner thinks a statement costs, in its units.
pub async fn cost(pg: &Pg, actor: &Actor, explain: &Sql<'_>) -> Result<f64, Failure> {
    let told = |failure: PgError| error::from_pg(&failure, actor, Verb::Read);
    let rows = pg.one_shot_read(actor, &explain.text, &texts(explain)).await.map_err(told)?;
    let cost = rows.first().map(|row| planned(row, "/0/Plan/Total Cost"));
    Ok(cost.and_then(|cost| cost.as_f64()).unwrap_or_default())
}

fn planned(row: &RawRow, what: &str) -> serde_json::Value {
    let plan: serde_json::Value =
        serde_json::from_slice(&row.bytes(0).unwrap_or_default()).unwrap_or_default();
    plan.pointer(what).cloned().unwrap_or_default()
}

fn estimated(mut answer: Answer, plan: &RawRow, known_up_to: Option<i64>) -> Answer {
    let is_known = known_up_to.zip(answer.total).is_some_and(|(limit, total)| total <= limit);
    if !is_known {
        let planned = planned(plan, "/0/Plan/Plan Rows").as_i64();
        answer.total = planned.max(answer.total).max(Some(answer.rows));
    }
    answer
}

fn explained(rows: &[RawRow]) -> Answer {
    let lines: Vec<Bytes> = rows.iter().map(|row| row.bytes(0).unwrap_or_default()).collect();
    Answer {
        total: None,
        rows: 0,
        body: lines.join(&b'\n').into(),
        key: None,
        headers: None,
        status: None,
        updated: None,
    }
}

fn texts<'p>(sql: &'p Sql<'_>) -> Vec<&'p str> {
    sql.params.iter().map(|param| param.0.as_ref()).collect()
}

/// The columns from the fourth on are not in every statement.
fn answer(row: &RawRow) -> Answer {
    let text = |column| row.text(column).map(str::to_owned);
    Answer {
        total: row.int8(0),
        rows: row.int8(1).unwrap_or(0),
        body: row.bytes(2).unwrap_or_default(),
        key: text(3),
        headers: text(4),
        status: text(5),
        updated: row.int8(6),
    }
}
