//! One cheap read for each right of the application for SharePoint.
use connector_api::{
    Health,
    health::{Need, SIGN_IN},
};

use super::{FILES, SITES};
use crate::client::Graph;
use crate::healthcheck::add;

impl Graph {
    /// Of the home tenant: a token, one list of sites, and the libraries of its root site.
    pub async fn sharepoint_health_check(&self) -> Health {
        let home = self.home();
        let mut health = Health::default();
        health.add(SIGN_IN, Need::Reading, home.sign_in().await);
        if !health.is_signed_in() {
            return health;
        }
        health.checked_at = Some(home.now());
        let reads =
            [("sites", SITES, "/v1.0/sites/getAllSites"), ("files", FILES, "/v1.0/sites/root/drives")];
        for (name, permission, path) in reads {
            add(&mut health, name, home.probe(name, permission, path).await);
        }
        health
    }
}
