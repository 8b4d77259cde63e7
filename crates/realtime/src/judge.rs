//! Decides for a class which changes it sees and which filters they match: the policies' own texts, evaluated by PostgreSQL on the
//! values of the change, as a person of the class. A row that changed again or is gone is judged as it was.
use std::{fmt::Write as _, sync::Arc};

use pg::{Actor, Pg, PgError};
use tokio_postgres::types::ToSql;

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
        let mut matches = String::new();
        let mut values = Vec::new();
        for filter in filters {
            if !matches.is_empty() {
                matches.push_str(", ");
            }
            matches.push_str("coalesce(");
            filter.write_sql(&mut matches, table, &mut values)?;
            matches.push_str(", false)");
        }
        let values = values.into_iter().cloned().collect();
        let mut sql = String::new();
        let (alias, name) = (&table.alias, &table.sql_name);
        let _infallible = write!(
            sql,
            "with me as materialized (select realtime.my_fingerprint() as fingerprint)
             select me.fingerprint, seen.n, seen.matches from me left join (
               select {alias}.judged_row_no as n, array[{matches}]::boolean[] as matches
               from (select e.n::integer as judged_row_no, r.* from jsonb_array_elements($1::text::jsonb) with ordinality as e (v, n)
                     cross join lateral jsonb_populate_record(null::{name}, e.v) as r) as {alias}
               where {condition}) as seen on true"
        );
        Some(Self { sql, values })
    }

    /// Asks about these rows (a JSON array of objects whose values are PostgreSQL's texts).
    pub async fn ask(&self, pg: &Pg, actor: &Actor, rows: &str) -> Result<Verdict, PgError> {
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&rows];
        parameters.extend(self.values.iter().map(Value::as_parameter));
        let mut verdict = Verdict::default();
        let tx = pg.act_as(actor).await?;
        for row in tx.query_then_commit(&self.sql, &parameters).await? {
            verdict.fingerprint = row.get(0);
            if let Some(n) = row.get::<_, Option<i32>>(1) {
                // Ordinality counts from one.
                let position = usize::try_from(n).unwrap_or_default().saturating_sub(1);
                verdict.visible.push((position, row.get(2)));
            }
        }
        Ok(verdict)
    }
}
