//! A connection of its own, for what must stay on one connection: the change feed's temporary slot.
use std::fmt;

use tokio_postgres::{Client, Row, RowStream, types::ToSql};

use crate::{PgError, SystemReason, actor::Role, dial, door::Pg};

const STATEMENT_MS_MAX: u64 = 60_000;

/// One connection outside of the pool, as `system` for one reason. Statements commit by themselves. Ends when dropped.
pub struct Session {
    client: Client,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("is_closed", &self.client.is_closed()).finish_non_exhaustive()
    }
}

impl Pg {
    /// Opens a connection of its own for one of the listed reasons.
    pub async fn session(&self, reason: SystemReason) -> Result<Session, PgError> {
        let (client, connection) = dial::client(&self.login).await?;
        #[expect(clippy::disallowed_methods, reason = "drives this one connection; ends with its session")]
        tokio::spawn(connection);
        client
            .query(
                "select set_config('role', $1, false), set_config('app.reason', $2, false), set_config('statement_timeout', $3, false)",
                &[&Role::System.name(), &reason.name(), &STATEMENT_MS_MAX.to_string()],
            )
            .await?;
        Ok(Session { client })
    }
}

impl Session {
    pub async fn query(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, PgError> {
        Ok(self.client.query(sql, params).await?)
    }

    /// Rows as they come, so that a large answer is never in memory as a whole.
    pub async fn stream(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<RowStream, PgError> {
        Ok(self.client.query_raw(sql, params.iter().copied()).await?)
    }
}
