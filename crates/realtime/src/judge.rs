//! Decides for a class which changes it sees and which filters they match: the policies' own texts, evaluated by PostgreSQL on the
//! values of the change, as a person of the class. A row that changed again or is gone is judged as it was.
use std::{borrow::Cow, fmt::Write as _, sync::Arc};

use pg::{Actor, Pg, PgError};

use crate::{
    catalog::Table,
    filter::{Filter, Value},
};

/// The statement of one class and table, with the filters that its subscribers use.
#[derive(Clone, Debug)]
pub struct Question {
    sql: String,
    values: Vec<Value>,
}

/// What the class sees.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What the person who was asked for may see at that moment. When it is not that of the class any more, the verdict is void.
    pub fingerprint: Option<String>,
    /// Positions of visible rows, with a bit per filter.
    pub visible: Vec<(usize, Vec<bool>)>,
}

impl Question {
    /// `None`: a filter names a column that the table has no more.
    pub fn new(table: &Table, condition: &str, filters: &[Arc<Filter>]) -> Option<Self> {
        let mut matches = "''".to_owned();
        let mut values = Vec::new();
        for filter in filters {
            matches.push_str(" || case when ");
            filter.write_sql(&mut matches, table, &mut values)?;
            matches.push_str(" then '1' else '0' end");
        }
        let values = values.into_iter().cloned().collect();
        let mut sql = String::new();
        let (alias, name) = (&table.alias, &table.sql_name);
        let _infallible = write!(
            sql,
            "with me as materialized (select realtime.my_fingerprint() as fingerprint)
             select me.fingerprint, seen.n, seen.matches from me left join (
               select {alias}.judged_row_no as n, {matches} as matches
               from (select e.n as judged_row_no, r.* from jsonb_array_elements($1::text::jsonb) with ordinality as e (v, n)
                     cross join lateral jsonb_populate_record(null::{name}, e.v) as r) as {alias}
               where {condition}) as seen on true"
        );
        Some(Self { sql, values })
    }

    /// Asks about these rows (a JSON array of objects whose values are PostgreSQL's texts). One write to PostgreSQL and one answer:
    /// it is asked for every class that a batch of changes concerns.
    pub async fn ask(&self, pg: &Pg, actor: &Actor, rows: &str) -> Result<Verdict, PgError> {
        let values: Vec<Cow<'_, str>> = self.values.iter().map(Value::as_text).collect();
        let parameters: Vec<&str> =
            std::iter::once(rows).chain(values.iter().map(|value| &**value)).collect();
        let mut verdict = Verdict::default();
        for row in pg.one_shot_read(actor, &self.sql, &parameters).await? {
            verdict.fingerprint = row.text(0).map(str::to_owned);
            if let (Some(n), Some(matches)) = (row.int8(1), row.text(2)) {
                // Ordinality counts from one.
                let position = usize::try_from(n).unwrap_or_default().saturating_sub(1);
                verdict.visible.push((position, matches.bytes().map(|byte| byte == b'1').collect()));
            }
        }
        Ok(verdict)
    }
}
