//! Open alerts: the whole list, or those of one device. Neither is paged.
use connector_api::{Call, Fact, VendorError};

use crate::client::NinjaOne;
use crate::errors::NotFoundMeans;
use crate::types::Alert;

impl NinjaOne {
    /// Every open alert. A list that lacks an alert is no proof that it was reset: ask for the device's own.
    pub async fn alerts(&self) -> Result<Fact<Vec<Alert>>, VendorError> {
        self.list(Call::get("/v2/alerts"), NotFoundMeans::Capability("alerts"), Alert::read).await
    }

    /// The open alerts of one device; `NotFound` when there is no such device.
    pub async fn device_alerts(&self, device_id: i64) -> Result<Fact<Vec<Alert>>, VendorError> {
        let call = Call::get(format!("/v2/device/{device_id}/alerts"));
        self.list(call, NotFoundMeans::Record, Alert::read).await
    }
}
