//! Decisions that runs wait for.
use kernel::id::{ApprovalId, CustomerId};
use pg::{ActorTx, PgError};

/// Whether the person of `tx` sees this approval.
pub async fn sees(tx: &ActorTx, customer: CustomerId, approval: ApprovalId) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/approvals/sees.sql");
    Ok(tx.query_one(sql, &[&customer.0, &approval.0]).await?.get("sees"))
}
