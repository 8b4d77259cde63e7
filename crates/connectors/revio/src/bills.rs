//! Bills and the charges on them.
use connector_api::{Fact, VendorError, Walk};

use crate::client::{List, RevIo};
use crate::types::{Bill, Charge};

pub(crate) const BILLS: List = List { path: "/v1/Bills", id_member: "bill_id" };
pub(crate) const CHARGES: List = List { path: "/v1/Charges", id_member: "charge_id" };

impl RevIo {
    pub async fn bills(&self) -> Walk<Bill> {
        self.list(BILLS, None, Bill::read, |it| it.id, |_| true).await
    }

    pub async fn customer_bills(&self, customer_id: i64) -> Walk<Bill> {
        let filter = Some(("search.customer_id", customer_id));
        self.list(BILLS, filter, Bill::read, |it| it.id, |it| it.customer_id == customer_id).await
    }

    pub async fn bill(&self, id: i64) -> Result<Fact<Bill>, VendorError> {
        self.one(format!("{}/{id}", BILLS.path), Bill::read).await
    }

    pub async fn charges(&self) -> Walk<Charge> {
        self.list(CHARGES, None, Charge::read, |it| it.id, |_| true).await
    }

    pub async fn bill_charges(&self, bill_id: i64) -> Walk<Charge> {
        let filter = Some(("search.bill_id", bill_id));
        self.list(CHARGES, filter, Charge::read, |it| it.id, |it| it.bill_id == Some(bill_id)).await
    }

    pub async fn customer_charges(&self, customer_id: i64) -> Walk<Charge> {
        let filter = Some(("search.customer_id", customer_id));
        self.list(CHARGES, filter, Charge::read, |it| it.id, |it| it.customer_id == customer_id).await
    }
}
