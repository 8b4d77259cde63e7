//! Fourth stage: the statement as one transaction of the caller. Most leave in one write; the few whose outcome
//! decides whether to keep it look before they commit.
use axum::body::Bytes;
use kernel::ApiError;
use pg::{Actor, ActorTx, Pg, PgError, Row, TextRow, TxEnd, types::ToSql};

use crate::{error, request::Verb, sql::Sql};

#[derive(Debug)]
pub struct Statement<'a> {
    pub verb: Verb,
    pub main: Sql<'a>,
    pub mode: Mode<'a>,
}

#[derive(Debug)]
pub enum Mode<'a> {
    /// PostgreSQL refuses writes.
    Read,
    /// Read, and ask the planner how many rows there are in all.
    ReadEstimated {
        estimate: Sql<'a>,
        known_up_to: Option<i64>,
    },
    Write(TxEnd),
    /// Kept only when the number of rows is as wanted.
    WriteChecked {
        end: TxEnd,
        wanted: Wanted,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    ExactlyOne,
    AtMost(u64),
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
}

pub async fn run(pg: &Pg, actor: &Actor, statement: &Statement<'_>) -> Result<Answer, ApiError> {
    let told = |failure: PgError| error::from_pg(&failure, actor, statement.verb);
    let params: Vec<&str> = statement.main.params.iter().map(|param| param.0.as_ref()).collect();
    let text = &statement.main.text;
    let outcome = match &statement.mode {
        Mode::Read => pg.one_shot_read(actor, text, &params).await,
        Mode::Write(end) => pg.one_shot(actor, text, &params, *end).await,
        Mode::ReadEstimated { estimate, known_up_to } => {
            return estimated(pg, actor, &statement.main, estimate, *known_up_to).await.map_err(told);
        }
        Mode::WriteChecked { end, wanted } => return checked(pg, actor, statement, *end, *wanted).await,
    };
    outcome.and_then(only).map_err(told)
}

async fn estimated(
    pg: &Pg,
    actor: &Actor,
    main: &Sql<'_>,
    estimate: &Sql<'_>,
    known_up_to: Option<i64>,
) -> Result<Answer, PgError> {
    let tx = pg.act_as(actor).await?;
    tx.execute("set transaction read only", &[]).await?;
    let mut answer = answer(&tx.query_one(&main.text, &params(main)).await?);
    let is_known = known_up_to.zip(answer.total).is_some_and(|(limit, total)| total <= limit);
    if !is_known {
        let plan: serde_json::Value = tx.query_one(&estimate.text, &params(estimate)).await?.get(0);
        let planned = plan.pointer("/0/Plan/Plan Rows").and_then(serde_json::Value::as_i64);
        answer.total = planned.max(answer.total).max(Some(answer.rows));
    }
    tx.commit().await?;
    Ok(answer)
}

async fn checked(
    pg: &Pg,
    actor: &Actor,
    statement: &Statement<'_>,
    end: TxEnd,
    wanted: Wanted,
) -> Result<Answer, ApiError> {
    let told = |failure: PgError| error::from_pg(&failure, actor, statement.verb);
    let tx = pg.act_as(actor).await.map_err(told)?;
    let row = tx.query_one(&statement.main.text, &params(&statement.main)).await.map_err(told)?;
    let rows: i64 = row.get(1);
    let refusal = match wanted {
        Wanted::ExactlyOne => (rows != 1).then(|| error::not_one_row(rows)),
        Wanted::AtMost(most) => {
            (u64::try_from(rows).unwrap_or(0) > most).then(|| error::too_many_affected(rows))
        }
    };
    if let Some(refusal) = refusal {
        tx.rollback().await.map_err(told)?;
        return Err(refusal);
    }
    finish(tx, end).await.map_err(told)?;
    Ok(answer(&row))
}

async fn finish(tx: ActorTx, end: TxEnd) -> Result<(), PgError> {
    match end {
        TxEnd::Commit => tx.commit().await,
        TxEnd::Rollback => tx.rollback().await,
    }
}

fn params<'p>(sql: &'p Sql<'_>) -> Vec<&'p (dyn ToSql + Sync)> {
    sql.params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

/// Where it was received the body stays: the message's bytes are the answer's bytes.
fn only(mut rows: Vec<TextRow>) -> Result<Answer, PgError> {
    let row = rows.pop().ok_or_else(PgError::row_count)?;
    Ok(Answer {
        total: row.number(0),
        rows: row.number(1).unwrap_or(0),
        body: row.bytes(2).unwrap_or_default(),
        key: row.text(3).map(str::to_owned),
    })
}

fn answer(row: &Row) -> Answer {
    let body: Option<String> = row.get(2);
    Answer { total: row.get(0), rows: row.get(1), key: row.get(3), body: body.unwrap_or_default().into() }
}
