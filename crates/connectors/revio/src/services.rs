//! Services of customers: what lines hang on. A new line needs one.
use connector_api::{Fact, VendorError, Walk};

use crate::client::{List, RevIo};
use crate::types::Service;

const LIST: List = List { path: "/v1/Services", id_member: "service_id" };

impl RevIo {
    pub async fn services(&self) -> Walk<Service> {
        self.list(LIST, None, Service::read, |it| it.id, |_| true).await
    }

    pub async fn customer_services(&self, customer_id: i64) -> Walk<Service> {
        let filter = Some(("search.customer_id", customer_id));
        self.list(LIST, filter, Service::read, |it| it.id, |it| it.customer_id == customer_id).await
    }

    pub async fn service(&self, id: i64) -> Result<Fact<Service>, VendorError> {
        self.one(format!("{}/{id}", LIST.path), Service::read).await
    }
}
