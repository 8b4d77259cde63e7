//! Requests that are written down beside the books. The contract's word on them is a guess, and clients of Rev.io's newer PSA keep
//! theirs there: for them the list does not exist, which is no empty list.
use connector_api::{Fact, VendorError, Walk};

use crate::client::{List, RevIo};
use crate::types::Ticket;

pub(crate) const LIST: List = List { path: "/v1/Tickets", id_member: "ticket_id" };

impl RevIo {
    /// Open and closed ones.
    pub async fn tickets(&self) -> Walk<Ticket> {
        self.list(LIST, None, Ticket::read, |it| it.id, |_| true).await
    }

    pub async fn customer_tickets(&self, customer_id: i64) -> Walk<Ticket> {
        let filter = Some(("search.customer_id", customer_id));
        self.list(LIST, filter, Ticket::read, |it| it.id, |it| it.customer_id == customer_id).await
    }

    pub async fn ticket(&self, id: i64) -> Result<Fact<Ticket>, VendorError> {
        self.one(format!("{}/{id}", LIST.path), Ticket::read).await
    }
}
