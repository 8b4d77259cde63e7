//! What the caller of a transaction may do; the answer comes from the same helpers that the policies use.
use kernel::id::CustomerId;
use pg::{ActorTx, PgError};

/// The caller's standing at one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The customer does not exist for this caller.
    Unseen,
    /// Visible, but without the permission.
    Forbidden,
    Allowed,
}

pub async fn standing(tx: &ActorTx, customer: CustomerId, permission: &str) -> Result<Standing, PgError> {
    let row =
        tx.query_one(include_str!("../../../db/queries/access/may.sql"), &[&customer.0, &permission]).await?;
    Ok(match (row.get("sees"), row.get("may")) {
        (false, _) => Standing::Unseen,
        (true, false) => Standing::Forbidden,
        (true, true) => Standing::Allowed,
    })
}

/// Provider-wide permission.
pub async fn may_for_provider(tx: &ActorTx, permission: &str) -> Result<bool, PgError> {
    let row =
        tx.query_one(include_str!("../../../db/queries/access/may_provider.sql"), &[&permission]).await?;
    Ok(row.get::<_, Option<bool>>("may").unwrap_or(false))
}
