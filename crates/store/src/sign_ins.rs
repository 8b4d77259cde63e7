//! Who signed in at a vendor, so that automations act as them. All of it needs a transaction of [`pg::SystemReason::Connect`].
use kernel::{
    Timestamp,
    id::{CredentialId, IntegrationId, UserId},
};
use pg::{ActorTx, PgError};
use uuid::Uuid;

/// Somebody goes to the vendor to sign in, until `expires_at`.
#[derive(Clone, Debug)]
pub struct Beginning<'a> {
    pub id: Uuid,
    pub integration: IntegrationId,
    pub person: UserId,
    /// What proves that whoever comes back is who went.
    pub credential: CredentialId,
    pub state_sha256: &'a [u8],
    pub started_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Whoever began one for the integration before does so no more.
pub async fn begin(tx: &ActorTx, new: &Beginning<'_>) -> Result<(), PgError> {
    let over = include_str!("../../../db/queries/sign_ins/end_begun.sql");
    tx.execute(over, &[&new.integration.0, &new.started_at]).await?;
    let params = &[
        &new.id as _,
        &new.integration.0 as _,
        &new.person.0 as _,
        &new.credential.0 as _,
        &new.state_sha256 as _,
        &new.started_at as _,
        &new.expires_at as _,
    ];
    tx.execute_one(include_str!("../../../db/queries/sign_ins/begin.sql"), params).await
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    pub id: Uuid,
    pub integration: IntegrationId,
    pub credential: CredentialId,
}

/// The one of this state that this person began, in time. Its state is good no more.
pub async fn take(
    tx: &ActorTx,
    state_sha256: &[u8],
    person: UserId,
    now: Timestamp,
) -> Result<Option<Begun>, PgError> {
    let sql = include_str!("../../../db/queries/sign_ins/take.sql");
    let row = tx.query_opt(sql, &[&state_sha256, &person.0, &now]).await?;
    Ok(row.map(|row| Begun {
        id: row.get("id"),
        integration: IntegrationId(row.get("integration_id")),
        credential: CredentialId(row.get("credential_id")),
    }))
}

/// From now on automations act as this person. Returns the credentials that are used no more.
pub async fn finish(tx: &ActorTx, begun: &Begun, at: Timestamp) -> Result<Vec<CredentialId>, PgError> {
    let over = end_but(tx, begun.integration, Some(begun.id), at).await?;
    tx.execute_one(include_str!("../../../db/queries/sign_ins/finish.sql"), &[&begun.id, &at]).await?;
    Ok(over)
}

/// Nobody is signed in any more. Returns the credentials that are used no more.
pub async fn end(
    tx: &ActorTx,
    integration: IntegrationId,
    at: Timestamp,
) -> Result<Vec<CredentialId>, PgError> {
    end_but(tx, integration, None, at).await
}

async fn end_but(
    tx: &ActorTx,
    integration: IntegrationId,
    except: Option<Uuid>,
    at: Timestamp,
) -> Result<Vec<CredentialId>, PgError> {
    let sql = include_str!("../../../db/queries/sign_ins/end.sql");
    let rows = tx.query(sql, &[&integration.0, &except, &at]).await?;
    Ok(rows.iter().map(|row| CredentialId(row.get("credential_id"))).collect())
}

/// The vendor does not take it any more. The integration's name when that is news.
pub async fn failed(tx: &ActorTx, id: Uuid, problem: &str, at: Timestamp) -> Result<Option<String>, PgError> {
    let sql = include_str!("../../../db/queries/sign_ins/failed.sql");
    Ok(tx.query_opt(sql, &[&id, &at, &problem]).await?.map(|row| row.get("name")))
}

pub async fn works(tx: &ActorTx, id: Uuid) -> Result<(), PgError> {
    tx.execute(include_str!("../../../db/queries/sign_ins/works.sql"), &[&id]).await.map(drop)
}
