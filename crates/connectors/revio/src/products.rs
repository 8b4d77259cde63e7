//! What the MSP sells.
use connector_api::{Fact, VendorError, Walk};

use crate::client::{List, RevIo};
use crate::types::Product;

pub(crate) const LIST: List = List { path: "/v1/Products", id_member: "product_id" };

impl RevIo {
    pub async fn products(&self) -> Walk<Product> {
        self.list(LIST, None, Product::read, |it| it.id, |_| true).await
    }

    pub async fn product(&self, id: i64) -> Result<Fact<Product>, VendorError> {
        self.one(format!("{}/{id}", LIST.path), Product::read).await
    }
}
