//! Asks for one thing of each kind that the product needs, and names every right that is missing.
use connector_api::{
    Call, Health,
    health::{Need, SIGN_IN},
};

use crate::client::{List, RevIo};
use crate::errors::NotFoundMeans;
use crate::{bills, customers, lines, payments, products, tickets};

impl RevIo {
    /// Reads only: eight calls. Whether the role of the API user may change lines cannot be asked without changing one.
    pub async fn health_check(&self) -> Health {
        let mut health = Health::default();
        let signed_in = self.call(Call::get("/v1/SystemStatus"), NotFoundMeans::Capability(SIGN_IN)).await;
        health.checked_at = signed_in.as_ref().ok().map(|answer| answer.observed_at);
        health.add(SIGN_IN, Need::Reading, signed_in.map(drop));
        if !health.is_signed_in() {
            return health;
        }
        let lists: [(&'static str, List, Need); 7] = [
            ("customers", customers::LIST, Need::Reading),
            ("products", products::LIST, Need::Reading),
            ("lines", lines::LIST, Need::Reading),
            ("bills", bills::BILLS, Need::Reading),
            ("charges", bills::CHARGES, Need::Reading),
            ("payments", payments::LIST, Need::More),
            ("tickets", tickets::LIST, Need::More),
        ];
        for (name, list, need) in lists {
            let call = Call::get(list.path).query("search.page_size", 1);
            let outcome = self.call(call, NotFoundMeans::Capability(name)).await;
            health.add(name, need, outcome.map(drop));
        }
        health
    }
}
