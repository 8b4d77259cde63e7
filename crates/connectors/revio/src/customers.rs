//! Customers of the MSP, as its books know them.
use connector_api::{Fact, VendorError, Walk};

use crate::client::{List, RevIo};
use crate::types::Customer;

pub(crate) const LIST: List = List { path: "/v1/Customers", id_member: "customer_id" };

impl RevIo {
    /// Open and closed ones.
    pub async fn customers(&self) -> Walk<Customer> {
        self.list(LIST, None, Customer::read, |it| it.id, |_| true).await
    }

    pub async fn customer(&self, id: i64) -> Result<Fact<Customer>, VendorError> {
        self.one(format!("{}/{id}", LIST.path), Customer::read).await
    }
}
