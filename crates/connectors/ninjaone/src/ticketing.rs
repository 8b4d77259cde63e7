//! Tickets. There is no idempotency key: a create that may have landed has to be looked for, not repeated.
use connector_api::{Answer, Call, Fact, VendorError};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::client::{NinjaOne, fact};
use crate::errors::NotFoundMeans;
use crate::fields::Fields;

/// The contract's limit of a subject.
pub const SUBJECT_CHARS_MAX: usize = 200;
/// The status "new" of every instance.
pub const STATUS_NEW: &str = "1000";

#[derive(Clone, Debug)]
pub struct NewTicket {
    /// The organization.
    pub client_id: i64,
    pub ticket_form_id: i64,
    pub subject: String,
    /// A status id as text, such as [`STATUS_NEW`].
    pub status: String,
    /// The first comment, visible to the requester.
    pub description: Option<String>,
    pub node_id: Option<i64>,
    pub location_id: Option<i64>,
    /// `PROBLEM`, `QUESTION`, `INCIDENT`, `TASK` and more.
    pub ticket_type: Option<String>,
    /// `NONE` to `CRITICAL`.
    pub severity: Option<String>,
    /// `NONE` to `HIGH`.
    pub priority: Option<String>,
    pub requester_uid: Option<String>,
    pub tags: Vec<String>,
}

/// What to change; the other members go back as they were read.
#[derive(Clone, Debug, Default)]
pub struct TicketChange {
    pub subject: Option<String>,
    pub status: Option<String>,
    pub severity: Option<String>,
    pub priority: Option<String>,
    /// The contract wants a requester in every change: needed when the ticket has none.
    pub requester_uid: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Ticket {
    pub id: i64,
    /// Goes back with a change; the vendor refuses a change that stands on an older version.
    pub version: i64,
    pub client_id: Option<i64>,
    pub node_id: Option<i64>,
    pub ticket_form_id: Option<i64>,
    pub subject: Option<String>,
    pub status_id: Option<i64>,
    pub status_name: Option<String>,
    pub severity: Option<String>,
    pub priority: Option<String>,
    pub created: Option<Timestamp>,
    pub raw: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketForm {
    pub id: i64,
    pub name: Option<String>,
    pub active: Option<bool>,
    pub is_default: Option<bool>,
}

impl NinjaOne {
    pub async fn create_ticket(&self, ticket: &NewTicket) -> Result<Fact<Ticket>, VendorError> {
        let call = Call::post("/v2/ticketing/ticket").json(ticket.body()?);
        let answer = self.act(call, NotFoundMeans::Capability("ticketing")).await?;
        read(&answer)
    }

    /// `NotFound` when there is no such ticket.
    pub async fn ticket(&self, id: i64) -> Result<Fact<Ticket>, VendorError> {
        let call = Call::get(format!("/v2/ticketing/ticket/{id}"));
        read(&self.call(call, NotFoundMeans::Record).await?)
    }

    /// Changes a ticket that stands at `version`. If the vendor's ticket has moved on, nothing is sent and the
    /// error is `Rejected` with 409, as it is when it moves between our reading and our change.
    pub async fn update_ticket(
        &self,
        id: i64,
        version: i64,
        change: &TicketChange,
    ) -> Result<Fact<Ticket>, VendorError> {
        let current = self.ticket(id).await?.value;
        if current.version != version {
            let message = format!("the ticket is at version {}, not {version}", current.version);
            return Err(VendorError::Rejected { status: 409, message });
        }
        let call = Call::put(format!("/v2/ticketing/ticket/{id}")).json(change.body(&current)?);
        read(&self.act(call, NotFoundMeans::Record).await?)
    }

    pub async fn ticket_forms(&self) -> Result<Fact<Vec<TicketForm>>, VendorError> {
        let call = Call::get("/v2/ticketing/ticket-form");
        self.list(call, NotFoundMeans::Capability("ticketing"), |row| TicketForm::read(Fields(&row))).await
    }
}

impl TicketForm {
    fn read(at: Fields<'_>) -> Result<Self, VendorError> {
        let (name, active) = (at.text("name"), at.flag("active"));
        Ok(Self { id: at.id("id")?, name, active, is_default: at.flag("default") })
    }
}

impl NewTicket {
    pub fn new(client_id: i64, ticket_form_id: i64, subject: impl Into<String>) -> Self {
        Self {
            client_id,
            ticket_form_id,
            subject: subject.into(),
            status: STATUS_NEW.into(),
            description: None,
            node_id: None,
            location_id: None,
            ticket_type: None,
            severity: None,
            priority: None,
            requester_uid: None,
            tags: Vec::new(),
        }
    }

    fn body(&self) -> Result<Value, VendorError> {
        check_subject(&self.subject)?;
        let mut body = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                body.insert(name.to_owned(), value);
            }
        };
        put("clientId", Some(json!(self.client_id)));
        put("ticketFormId", Some(json!(self.ticket_form_id)));
        put("subject", Some(json!(self.subject)));
        put("status", Some(json!(self.status)));
        put("description", self.description.as_ref().map(|text| json!({"public": true, "body": text})));
        put("nodeId", self.node_id.map(Value::from));
        put("locationId", self.location_id.map(Value::from));
        put("type", self.ticket_type.clone().map(Value::from));
        put("severity", self.severity.clone().map(Value::from));
        put("priority", self.priority.clone().map(Value::from));
        put("requesterUid", self.requester_uid.clone().map(Value::from));
        put("tags", (!self.tags.is_empty()).then(|| json!(self.tags)));
        Ok(Value::Object(body))
    }
}

impl TicketChange {
    /// A change is a whole ticket: what is not changed goes back as it was.
    fn body(&self, current: &Ticket) -> Result<Value, VendorError> {
        let raw = Fields(&current.raw);
        let subject = self.subject.clone().or_else(|| current.subject.clone()).unwrap_or_default();
        check_subject(&subject)?;
        let status = self.status.clone().or_else(|| current.status_id.map(|id| id.to_string()));
        let requester = self.requester_uid.clone().or_else(|| raw.text("requesterUid"));
        let needed = [
            ("clientId", current.client_id.map(Value::from)),
            ("ticketFormId", current.ticket_form_id.map(Value::from)),
            ("status", status.map(Value::from)),
            ("requesterUid", requester.map(Value::from)),
        ];
        let mut body = Map::new();
        body.insert("version".into(), json!(current.version));
        body.insert("subject".into(), json!(subject));
        for (name, value) in needed {
            let missing = || VendorError::Misconfigured { reason: format!("a ticket change needs {name}") };
            body.insert(name.into(), value.ok_or_else(missing)?);
        }
        let kept = ["locationId", "nodeId", "type", "assignedAppUserId", "severity", "priority", "tags"];
        for name in kept {
            if let Some(value) = current.raw.get(name).filter(|value| !value.is_null()) {
                body.insert(name.into(), value.clone());
            }
        }
        for (name, value) in [("severity", &self.severity), ("priority", &self.priority)] {
            if let Some(value) = value {
                body.insert(name.into(), json!(value));
            }
        }
        Ok(Value::Object(body))
    }
}

fn check_subject(subject: &str) -> Result<(), VendorError> {
    if subject.chars().count() > SUBJECT_CHARS_MAX {
        let reason = format!("a ticket subject is over {SUBJECT_CHARS_MAX} characters");
        return Err(VendorError::Misconfigured { reason });
    }
    Ok(())
}

fn read(answer: &Answer) -> Result<Fact<Ticket>, VendorError> {
    let raw = answer.json()?;
    let at = Fields(&raw);
    let status = at.at("status");
    let ticket = Ticket {
        id: at.id("id")?,
        version: at.id("version")?,
        client_id: at.int("clientId"),
        node_id: at.int("nodeId"),
        ticket_form_id: at.int("ticketFormId"),
        subject: at.text("subject"),
        status_id: status.and_then(|status| status.int("statusId")),
        status_name: status.and_then(|status| status.text("displayName").or_else(|| status.text("name"))),
        severity: at.text("severity"),
        priority: at.text("priority"),
        created: at.time("createTime"),
        raw,
    };
    Ok(fact(answer, ticket))
}
