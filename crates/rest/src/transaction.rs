//! Fourth stage: the statement as one transaction of the caller. Most leave in one write; the few whose outcome
//! decides whether to keep it look before they commit.
use axum::body::Bytes;
use kernel::ApiError;
use pg::{
    Actor, ActorTx, Pg, PgError, RawRow, Row, TxEnd,
    types::{FromSql, ToSql, Type},
};

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
    /// Settings of the transaction besides the caller's; none for most, because they cost a round trip.
    pub settings: Settings,
}

/// Name and value of each.
pub type Settings = Vec<(&'static str, String)>;

const SET_SQL: &str =
    "select set_config(s.key, s.value, true) from json_each_text($1::text::json) as s(key, value)";

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
    /// Asks for the plan; whatever that does is undone.
    Explain(Access),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    ReadOnly,
    Write,
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
    /// `response.headers` and `response.status`, as a function or trigger set them.
    pub headers: Option<String>,
    pub status: Option<String>,
    /// Of an upsert, how many of the rows were there before.
    pub updated: Option<i64>,
}

pub async fn run(pg: &Pg, actor: &Actor, statement: &Statement<'_>) -> Result<Answer, Failure> {
    let told = |failure: PgError| error::from_pg(&failure, actor, statement.verb);
    if !statement.settings.is_empty() {
        return with_settings(pg, actor, statement).await;
    }
    let params = texts(&statement.main);
    let text = &statement.main.text;
    let outcome = match &statement.mode {
        Mode::Read => pg.one_shot_read(actor, text, &params).await,
        Mode::Write(end) => pg.one_shot(actor, text, &params, *end).await,
        Mode::ReadEstimated { .. } | Mode::WriteChecked { .. } | Mode::Explain(_) => {
            return with_settings(pg, actor, statement).await;
        }
    };
    outcome.and_then(|rows| shot(&rows)).map_err(told)
}

async fn with_settings(pg: &Pg, actor: &Actor, statement: &Statement<'_>) -> Result<Answer, Failure> {
    let told = |failure: PgError| error::from_pg(&failure, actor, statement.verb);
    let tx = pg.act_as(actor).await.map_err(told)?;
    set(&tx, statement).await.map_err(told)?;
    tx.call_first(actor).await.map_err(told)?;
    let main = &statement.main;
    match &statement.mode {
        Mode::Read | Mode::Write(TxEnd::Commit) => {
            let rows = tx.query_then_commit(&main.text, &params(main)).await.map_err(told)?;
            only(rows).map(answer).map_err(told)
        }
        Mode::Write(TxEnd::Rollback) => {
            let row = tx.query_one(&main.text, &params(main)).await.map_err(told)?;
            tx.rollback().await.map_err(told)?;
            Ok(answer(row))
        }
        Mode::ReadEstimated { estimate, known_up_to } => {
            estimated(tx, main, estimate, *known_up_to).await.map_err(told)
        }
        Mode::WriteChecked { end, wanted } => {
            let row = checked(&tx, main, *wanted).await.map_err(told)?;
            match row {
                Ok(row) => finish(tx, *end).await.map(|()| answer(row)).map_err(told),
                Err(refusal) => {
                    tx.rollback().await.map_err(told)?;
                    Err(refusal.into())
                }
            }
        }
        Mode::Explain(_) => {
            let rows = tx.query(&main.text, &params(main)).await.map_err(told)?;
            tx.rollback().await.map_err(told)?;
            Ok(explained(&rows))
        }
    }
}

/// Sends the settings, and that nothing is written, before the statement.
async fn set(tx: &ActorTx, statement: &Statement<'_>) -> Result<(), PgError> {
    let mut values: serde_json::Map<String, serde_json::Value> = serde_json::Map::new();
    for (name, value) in &statement.settings {
        values.insert((*name).to_owned(), value.as_str().into());
    }
    if matches!(statement.mode, Mode::Read | Mode::ReadEstimated { .. } | Mode::Explain(Access::ReadOnly)) {
        values.insert("transaction_read_only".to_owned(), "on".into());
    }
    if values.is_empty() {
        return Ok(());
    }
    let values = serde_json::Value::Object(values).to_string();
    tx.query(SET_SQL, &[&values]).await.map(drop)
}

/// What the planner thinks a statement costs, in its units.
pub async fn cost(pg: &Pg, actor: &Actor, explain: &Sql<'_>) -> Result<f64, Failure> {
    let told = |failure: PgError| error::from_pg(&failure, actor, Verb::Read);
    let rows = pg.one_shot_read(actor, &explain.text, &texts(explain)).await.map_err(told)?;
    let plan = rows.first().and_then(|row| row.bytes(0)).unwrap_or_default();
    let plan: serde_json::Value = serde_json::from_slice(&plan).unwrap_or_default();
    Ok(plan.pointer("/0/Plan/Total Cost").and_then(serde_json::Value::as_f64).unwrap_or_default())
}

async fn estimated(
    tx: ActorTx,
    main: &Sql<'_>,
    estimate: &Sql<'_>,
    known_up_to: Option<i64>,
) -> Result<Answer, PgError> {
    let mut answer = answer(tx.query_one(&main.text, &params(main)).await?);
    let is_known = known_up_to.zip(answer.total).is_some_and(|(limit, total)| total <= limit);
    if !is_known {
        let plan: serde_json::Value = tx.query_one(&estimate.text, &params(estimate)).await?.get(0);
        let planned = plan.pointer("/0/Plan/Plan Rows").and_then(serde_json::Value::as_i64);
        answer.total = planned.max(answer.total).max(Some(answer.rows));
    }
    tx.commit().await?;
    Ok(answer)
}

/// The row, or why it is not kept.
async fn checked(tx: &ActorTx, main: &Sql<'_>, wanted: Wanted) -> Result<Result<Row, ApiError>, PgError> {
    let row = tx.query_one(&main.text, &params(main)).await?;
    let rows: i64 = row.get(1);
    Ok(match wanted {
        Wanted::ExactlyOne if rows != 1 => Err(error::not_one_row(rows)),
        Wanted::AtMost(most) if u64::try_from(rows).unwrap_or(0) > most => {
            Err(error::too_many_affected(rows))
        }
        Wanted::ExactlyOne | Wanted::AtMost(_) => Ok(row),
    })
}

fn explained(rows: &[Row]) -> Answer {
    let lines: Vec<&[u8]> = rows.iter().map(|row| row.get::<_, Raw<'_>>(0).0).collect();
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

async fn finish(tx: ActorTx, end: TxEnd) -> Result<(), PgError> {
    match end {
        TxEnd::Commit => tx.commit().await,
        TxEnd::Rollback => tx.rollback().await,
    }
}

fn params<'p>(sql: &'p Sql<'_>) -> Vec<&'p (dyn ToSql + Sync)> {
    sql.params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

fn texts<'p>(sql: &'p Sql<'_>) -> Vec<&'p str> {
    sql.params.iter().map(|param| param.0.as_ref()).collect()
}

fn only(mut rows: Vec<Row>) -> Result<Row, PgError> {
    rows.pop().ok_or_else(PgError::row_count)
}

/// Columns that only writes and calls have.
const HEADERS: usize = 4;
const UPDATED: usize = 6;

fn answer(row: Row) -> Answer {
    let tells = row.len() > HEADERS;
    Answer {
        total: row.get(0),
        rows: row.get(1),
        key: row.get(3),
        headers: if tells { row.get(HEADERS) } else { None },
        status: if tells { row.get(HEADERS + 1) } else { None },
        updated: if row.len() > UPDATED { row.get(UPDATED) } else { None },
        body: Bytes::from_owner(Body(row)),
    }
}

fn shot(rows: &[RawRow]) -> Result<Answer, PgError> {
    let row = rows.last().ok_or_else(PgError::row_count)?;
    let text = |column| row.text(column).map(str::to_owned);
    Ok(Answer {
        total: row.int8(0),
        rows: row.int8(1).unwrap_or(0),
        body: row.bytes(2).unwrap_or_default(),
        key: text(3),
        headers: text(HEADERS),
        status: text(HEADERS + 1),
        updated: row.int8(UPDATED),
    })
}

/// The body stays where it was received: the row's bytes are the answer's bytes.
struct Body(Row);

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self.0.get::<_, Raw<'_>>(2).0
    }
}

/// Text as it came over the wire; nothing when null.
struct Raw<'r>(&'r [u8]);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(b""))
    }

    fn accepts(ty: &Type) -> bool {
        [Type::TEXT, Type::BYTEA, Type::JSON].contains(ty)
    }
}
