//! What accounts paid. A payment names its account and no bill: which bill it settles is not in the contract.
use connector_api::{Fact, VendorError, Walk};

use crate::client::{List, RevIo};
use crate::types::Payment;

pub(crate) const LIST: List = List { path: "/v1/Payments", id_member: "payment_id" };

impl RevIo {
    pub async fn payments(&self) -> Walk<Payment> {
        self.list(LIST, None, Payment::read, |it| it.id, |_| true).await
    }

    pub async fn customer_payments(&self, customer_id: i64) -> Walk<Payment> {
        let filter = Some(("search.customer_id", customer_id));
        self.list(LIST, filter, Payment::read, |it| it.id, |it| it.customer_id == customer_id).await
    }

    pub async fn payment(&self, id: i64) -> Result<Fact<Payment>, VendorError> {
        self.one(format!("{}/{id}", LIST.path), Payment::read).await
    }
}
