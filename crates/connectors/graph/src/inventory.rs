//! The tenant itself and its seats.
use connector_api::{Call, Fact, VendorError, Walk};

use crate::client::{TenantClient, fact, page};
use crate::errors::About;
use crate::permissions;
use crate::types::{CommercialSubscription, Domain, Organization, SubscribedSku};

const ORGANIZATION: About = About::list(permissions::ORGANIZATION, "the organization");

impl TenantClient {
    pub async fn organization(&self) -> Result<Fact<Organization>, VendorError> {
        let answer = self.call(Call::get("/v1.0/organization"), ORGANIZATION).await?;
        let page = page(&answer, Organization::read)?;
        let first = page.items.into_iter().next();
        first
            .map(|organization| fact(&answer, organization))
            .ok_or_else(|| VendorError::shape("$.value", "no organization came"))
    }

    pub async fn domains(&self) -> Walk<Domain> {
        let about = About::list(permissions::DOMAINS, "domains");
        self.list(Call::get("/v1.0/domains"), about, Domain::read, |it| it.id.clone()).await
    }

    /// Not paged by the vendor.
    pub async fn subscribed_skus(&self) -> Walk<SubscribedSku> {
        let about = About::list(permissions::SEATS, "subscriptions");
        self.list(Call::get("/v1.0/subscribedSkus"), about, SubscribedSku::read, |it| it.sku_id).await
    }

    /// What was bought, purchase by purchase, with the ends of terms. Source: Graph v1.0, `directory: list subscriptions`.
    pub async fn commercial_subscriptions(&self) -> Walk<CommercialSubscription> {
        let about = About::list(permissions::ORGANIZATION, "purchases");
        let call = Call::get("/v1.0/directory/subscriptions");
        self.list(call, about, CommercialSubscription::read, |it| it.id.clone()).await
    }
}
