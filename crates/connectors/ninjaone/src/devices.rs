//! Organizations, locations, devices and their disks.
use connector_api::{
    Call, Completeness, Cursor, Fact, Page, PartialReason, VendorError, Walk, WalkLimits, walk_after,
};
use serde_json::Value;

use crate::client::{NinjaOne, fact};
use crate::config::PAGE_ROWS_MAX;
use crate::errors::NotFoundMeans;
use crate::fields::Fields;
use crate::types::{Device, Location, Organization, Volume, WindowsService};

/// Pages of a report about one device. More than this is not one device.
const DEVICE_PAGES_MAX: u32 = 20;

impl NinjaOne {
    pub async fn organizations_page(
        &self,
        after: Option<i64>,
    ) -> Result<Fact<Page<Organization>>, VendorError> {
        let means = NotFoundMeans::Capability("organizations");
        self.page("/v2/organizations".into(), after, PAGE_ROWS_MAX, means, Organization::read, |row| row.id)
            .await
    }

    pub async fn locations_page(&self, after: Option<i64>) -> Result<Fact<Page<Location>>, VendorError> {
        let means = NotFoundMeans::Capability("locations");
        self.page("/v2/locations".into(), after, PAGE_ROWS_MAX, means, Location::read, |row| row.id).await
    }

    /// Devices with their system, disks and last user. Devices that wait for approval are not in this list.
    pub async fn devices_detailed_page(
        &self,
        after: Option<i64>,
        page_size: u32,
    ) -> Result<Fact<Page<Device>>, VendorError> {
        let means = NotFoundMeans::Capability("devices-detailed");
        self.page("/v2/devices-detailed".into(), after, page_size, means, Device::read, |row| row.id).await
    }

    pub async fn organizations(&self) -> Walk<Organization> {
        walk_after(WalkLimits::default(), |row: &Organization| row.id, |after| self.organizations_page(after))
            .await
    }

    pub async fn locations(&self) -> Walk<Location> {
        walk_after(WalkLimits::default(), |row: &Location| row.id, |after| self.locations_page(after)).await
    }

    /// The whole estate in memory. A sync that stores page by page drives `AfterWalk` itself.
    pub async fn devices_detailed(&self, page_size: u32) -> Walk<Device> {
        let fetch = |after| self.devices_detailed_page(after, page_size);
        walk_after(WalkLimits::default(), |row: &Device| row.id, fetch).await
    }

    /// The devices of one organization, without details: a second reader beside the detailed list.
    pub async fn organization_devices(&self, organization_id: i64) -> Walk<Device> {
        let fetch = |after| {
            let path = format!("/v2/organization/{organization_id}/devices");
            self.page(path, after, PAGE_ROWS_MAX, NotFoundMeans::Record, Device::read, |row: &Device| row.id)
        };
        walk_after(WalkLimits::default(), |row: &Device| row.id, fetch).await
    }

    /// One device with details. `None` only when the application itself says that it has no such device.
    pub async fn device(&self, id: i64) -> Result<Option<Fact<Device>>, VendorError> {
        match self.call(Call::get(format!("/v2/device/{id}")), NotFoundMeans::Record).await {
            Ok(answer) => Ok(Some(fact(&answer, Device::read(answer.json()?)?))),
            Err(VendorError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The disks of one device through the query service: an independent reader beside the device record.
    pub async fn device_volumes(&self, device_id: i64) -> Result<Fact<Vec<Volume>>, VendorError> {
        let walk = self.report::<Volume>(Some(&format!("id = {device_id}")), DEVICE_PAGES_MAX).await;
        if let Completeness::Partial { reason: PartialReason::Stopped(error) } = walk.completeness {
            return Err(error);
        }
        let observed_at = walk.observed_at.ok_or(VendorError::shape("$.results", "no page arrived"))?;
        // The filter is the vendor's; its rows are checked all the same.
        let value = walk.items.into_iter().filter(|volume| volume.device_id == Some(device_id)).collect();
        Ok(Fact { value, observed_at, request_id: walk.request_id, completeness: walk.completeness })
    }

    /// The Windows services of a device, or one of them by name.
    pub async fn device_services(
        &self,
        device_id: i64,
        name: Option<&str>,
    ) -> Result<Fact<Vec<WindowsService>>, VendorError> {
        let call = Call::get(format!("/v2/device/{device_id}/windows-services")).query_opt("name", name);
        self.list(call, NotFoundMeans::Record, |row| Ok(WindowsService::read(Fields(&row)))).await
    }

    async fn page<T>(
        &self,
        path: String,
        after: Option<i64>,
        page_size: u32,
        means: NotFoundMeans,
        read: impl Fn(Value) -> Result<T, VendorError>,
        id_of: impl Fn(&T) -> i64,
    ) -> Result<Fact<Page<T>>, VendorError> {
        let page_size = page_size.clamp(1, PAGE_ROWS_MAX);
        let call = Call::get(path).query("pageSize", page_size).query_opt("after", after);
        let rows = self.rows(call, means).await?;
        let raw_count = rows.value.len();
        let mut fact = crate::client::readable(rows, read).map(|items| {
            let highest = items.iter().map(&id_of).max().or(after);
            let next = (raw_count > 0).then_some(highest).flatten().map(Cursor::After);
            Page { items, next, raw_count }
        });
        fact.value.items.sort_by_key(&id_of);
        Ok(fact)
    }
}
