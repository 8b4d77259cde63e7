//! Names of people, for texts that only the provider's people read.
use kernel::id::UserId;
use pg::{ActorTx, PgError};

/// `None`: the person was removed.
pub async fn name(tx: &ActorTx, person: UserId) -> Result<Option<String>, PgError> {
    let row = tx.query_one(include_str!("../../../db/queries/access/person_name.sql"), &[&person.0]).await?;
    Ok(row.get("name"))
}
