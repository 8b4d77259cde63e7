use kernel::{
    Timestamp,
    id::{CustomerId, UserId},
};
use pg::{ActorTx, PgError};

#[derive(Clone, Debug)]
pub struct NewNotification<'a> {
    /// The transaction's own customer, or none for news of the provider.
    pub customer: Option<CustomerId>,
    pub kind: &'a str,
    pub title: &'a str,
    pub body: &'a str,
    /// Path in the console.
    pub link: Option<&'a str>,
    pub at: Timestamp,
}

/// The provider's people who hold a permission.
pub async fn staff_who_can(tx: &ActorTx, permission: &str) -> Result<Vec<UserId>, PgError> {
    let rows =
        tx.query(include_str!("../../../db/queries/notifications/staff_who_can.sql"), &[&permission]).await?;
    Ok(rows.iter().map(|row| UserId(row.get("user_id"))).collect())
}

/// One notification per person. Returns how many were made.
pub async fn add(tx: &ActorTx, people: &[UserId], new: &NewNotification<'_>) -> Result<u64, PgError> {
    let people: Vec<_> = people.iter().map(|id| id.0).collect();
    tx.execute(
        include_str!("../../../db/queries/notifications/add.sql"),
        &[&people, &new.customer.map(|id| id.0), &new.kind, &new.title, &new.body, &new.link, &new.at],
    )
    .await
}
