//! Tickets of the accounts: a few for each, some open and some closed, made from the seed. A client on the newer PSA has none here.
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::Uri;
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::books::{Books, local};
use super::lists::{number, one as single, params};
use super::render::{self, IdForm};
use super::{Answer, nothing_here};
use crate::faults::Tamper;
use crate::rng::Rng;
use crate::server::Shared;
use crate::world::RevIoTickets;

const TICKET_ID_FIRST: i64 = 610_001;
/// Of the whole client.
const TICKETS_MAX: usize = 20_000;
const SUBJECT_CHARS_MAX: usize = 500;
const HOUR_S: i64 = 3_600;
const SUBJECTS: [&str; 6] = [
    "Question about the last invoice",
    "Card was declined",
    "Please add two workstations",
    "Change of billing address",
    "Cancel the backup of the old server",
    "Invoice to another mailbox",
];

type Host = State<Arc<Shared>>;

#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub id: i64,
    pub customer_id: i64,
    /// `None`: nobody wrote one.
    pub subject: Option<String>,
    pub opened: DateTime,
    pub closed: Option<DateTime>,
    /// The list tells of it.
    is_listed: bool,
}

impl Ticket {
    pub fn status(&self) -> &'static str {
        match self.closed {
            Some(_) => "CLOSED",
            None if self.id % 3 == 0 => "IN PROGRESS",
            None => "OPEN",
        }
    }
}

impl Books {
    /// The first of an account is open, the second closed; of the others every other one.
    pub fn open_tickets(&mut self, customer_id: i64, seed: u64, now: Timestamp) {
        let mut rng = Rng::of(seed, customer_id.cast_unsigned() ^ 0x0074_6b74);
        let hours = |rng: &mut Rng, bound: u64| 1 + i64::try_from(rng.below(bound)).unwrap_or(0);
        for nth in 0..2 + rng.below(3) {
            let opened = local(now) - SignedDuration::from_secs(HOUR_S * (200 + hours(&mut rng, 2_000)));
            let closed = opened + SignedDuration::from_secs(HOUR_S * hours(&mut rng, 190));
            let is_closed = nth == 1 || (nth > 1 && rng.percent(50));
            // Some have no subject.
            let subject = (nth < 2 || !rng.percent(20)).then(|| rng.pick(&SUBJECTS).to_owned());
            self.add_ticket(customer_id, subject, opened, is_closed.then_some(closed));
        }
    }

    fn add_ticket(
        &mut self,
        customer_id: i64,
        subject: Option<String>,
        opened: DateTime,
        closed: Option<DateTime>,
    ) -> i64 {
        let id = self.tickets.keys().next_back().map_or(TICKET_ID_FIRST, |last| last + 1);
        self.tickets.insert(id, Ticket { id, customer_id, subject, opened, closed, is_listed: true });
        id
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum TicketOrder {
    Open {
        customer_id: i64,
        subject: String,
    },
    Close {
        ticket_id: i64,
    },
    /// As if it had never been.
    Delete {
        ticket_id: i64,
    },
    /// The list forgets it; alone it is still there.
    Unlist {
        ticket_id: i64,
    },
    /// It was written down under the wrong account.
    Move {
        ticket_id: i64,
        customer_id: i64,
    },
}

impl TicketOrder {
    pub fn run(self, books: &mut Books, now: DateTime) -> Result<Value, &'static str> {
        let none = "no such ticket";
        let account = |books: &Books, id: i64| books.customers.contains_key(&id).then_some(id);
        let ticket_id = match self {
            Self::Open { customer_id, subject } => {
                let customer_id = account(books, customer_id).ok_or("no such customer")?;
                if books.tickets.len() >= TICKETS_MAX || subject.chars().count() > SUBJECT_CHARS_MAX {
                    return Err("too many tickets, or too long a subject");
                }
                books.add_ticket(customer_id, Some(subject), now, None)
            }
            Self::Close { ticket_id } => {
                books.tickets.get_mut(&ticket_id).ok_or(none)?.closed = Some(now);
                ticket_id
            }
            Self::Delete { ticket_id } => books.tickets.remove(&ticket_id).ok_or(none)?.id,
            Self::Unlist { ticket_id } => {
                books.tickets.get_mut(&ticket_id).ok_or(none)?.is_listed = false;
                ticket_id
            }
            Self::Move { ticket_id, customer_id } => {
                let customer_id = account(books, customer_id).ok_or("no such customer")?;
                books.tickets.get_mut(&ticket_id).ok_or(none)?.customer_id = customer_id;
                ticket_id
            }
        };
        Ok(json!({ "ticket_id": ticket_id }))
    }
}

pub(crate) async fn list(State(shared): Host, Extension(tamper): Extension<Tamper>, uri: Uri) -> Answer {
    let params = params(&shared, &uri, "ticket_id")?;
    let mut world = shared.world();
    if world.settings.revio_tickets == RevIoTickets::Elsewhere {
        return Err(nothing_here());
    }
    let rows = world.books.tickets.values().filter(|it| {
        it.is_listed
            && params.wants("customer_id", &it.customer_id.to_string())
            && params.wants("status", it.status())
    });
    let rows: Vec<_> = rows.cloned().collect();
    Ok(params.answer(&mut world, "tickets", tamper, &rows, |_, it| render::ticket(it, IdForm::Number)))
}

pub(crate) async fn one(State(shared): Host, Path(id): Path<String>) -> Answer {
    let (id, world) = (number(&id)?, shared.world());
    if world.settings.revio_tickets == RevIoTickets::Elsewhere {
        return Err(nothing_here());
    }
    single(world.books.tickets.get(&id).map(|it| render::ticket(it, IdForm::Text)), "Ticket")
}
