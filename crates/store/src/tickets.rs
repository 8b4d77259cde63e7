use kernel::{
    Timestamp,
    id::{CustomerId, DeviceId, EvidenceId, IncidentId, TicketId, UserId},
};
use pg::{ActorTx, PgError};
use serde_json::Value;

#[derive(Clone, Debug)]
pub struct NewTicket<'a> {
    pub customer: CustomerId,
    pub incident: IncidentId,
    pub device: Option<DeviceId>,
    pub subject: &'a str,
    pub description: &'a str,
    /// `p1` to `p4`.
    pub priority: &'a str,
    pub at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct TicketRef {
    pub id: TicketId,
    /// Human reference, such as `ACME-12`.
    pub reference: String,
    pub priority: String,
    pub state: String,
}

#[derive(Clone, Debug)]
pub struct Ticket {
    pub id: TicketId,
    pub number: i64,
    pub subject: String,
    pub description: String,
    pub priority: String,
    pub state: String,
    pub device: Option<DeviceId>,
    pub external_ref: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketState {
    InProgress,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Automation,
    Evidence,
}

/// Who may read an event of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    Everybody,
    ProviderOnly,
}

/// Opens the incident's ticket, or returns the one it has.
pub async fn open_for_incident(tx: &ActorTx, new: &NewTicket<'_>) -> Result<TicketRef, PgError> {
    tx.execute(
        include_str!("../../../db/queries/tickets/open_for_incident.sql"),
        &[
            &new.customer.0,
            &TicketId::new(new.at).0,
            &new.subject,
            &new.description,
            &new.priority,
            &new.device.map(|id| id.0),
            &new.incident.0,
            &new.at,
        ],
    )
    .await?;
    of_incident(tx, new.customer, new.incident).await?.ok_or_else(PgError::row_count)
}

pub async fn of_incident(
    tx: &ActorTx,
    customer: CustomerId,
    incident: IncidentId,
) -> Result<Option<TicketRef>, PgError> {
    let sql = include_str!("../../../db/queries/tickets/of_incident.sql");
    let row = tx.query_opt(sql, &[&customer.0, &incident.0]).await?;
    Ok(row.map(|row| TicketRef {
        id: TicketId(row.get("id")),
        reference: row.get("reference"),
        priority: row.get("priority"),
        state: row.get("state"),
    }))
}

/// The ticket, locked until the transaction ends.
pub async fn lock(tx: &ActorTx, customer: CustomerId, id: TicketId) -> Result<Option<Ticket>, PgError> {
    let row = tx
        .query_opt(include_str!("../../../db/queries/tickets/by_id_for_update.sql"), &[&customer.0, &id.0])
        .await?;
    Ok(row.map(|row| Ticket {
        id: TicketId(row.get("id")),
        number: row.get("number"),
        subject: row.get("subject"),
        description: row.get("description"),
        priority: row.get("priority"),
        state: row.get("state"),
        device: row.get::<_, Option<_>>("device_id").map(DeviceId),
        external_ref: row.get("external_ref"),
    }))
}

/// False when the ticket is closed already.
pub async fn set_state(
    tx: &ActorTx,
    customer: CustomerId,
    id: TicketId,
    state: TicketState,
    resolution: Option<&str>,
) -> Result<bool, PgError> {
    let state = match state {
        TicketState::InProgress => "in_progress",
        TicketState::Closed => "closed",
    };
    let sql = include_str!("../../../db/queries/tickets/set_state.sql");
    Ok(tx.execute(sql, &[&customer.0, &id.0, &state, &resolution]).await? == 1)
}

/// Raises the priority by one and records why; the first escalation keeps its time. False when the ticket is closed.
pub async fn escalate(
    tx: &ActorTx,
    customer: CustomerId,
    id: TicketId,
    reason: &str,
    at: Timestamp,
) -> Result<bool, PgError> {
    let sql = include_str!("../../../db/queries/tickets/escalate.sql");
    Ok(tx.execute(sql, &[&customer.0, &id.0, &at, &reason]).await? == 1)
}

#[expect(clippy::too_many_arguments, reason = "the columns of one event")]
pub async fn add_event(
    tx: &ActorTx,
    customer: CustomerId,
    ticket: TicketId,
    kind: EventKind,
    audience: Audience,
    body: &str,
    evidence: Option<EvidenceId>,
    by: Option<UserId>,
    at: Timestamp,
) -> Result<(), PgError> {
    let kind = match kind {
        EventKind::Automation => "automation",
        EventKind::Evidence => "evidence",
    };
    let id = kernel::id::uuid_v7(at);
    let is_internal = audience == Audience::ProviderOnly;
    tx.execute_one(
        include_str!("../../../db/queries/tickets/add_event.sql"),
        &[
            &customer.0,
            &id,
            &ticket.0,
            &kind,
            &body,
            &is_internal,
            &evidence.map(|id| id.0),
            &at,
            &by.map(|id| id.0),
        ],
    )
    .await
}

pub async fn set_external_ref(
    tx: &ActorTx,
    customer: CustomerId,
    id: TicketId,
    external: Option<&Value>,
) -> Result<(), PgError> {
    tx.execute_one(
        include_str!("../../../db/queries/tickets/set_external_ref.sql"),
        &[&customer.0, &id.0, &external],
    )
    .await
}
