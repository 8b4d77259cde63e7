//! Asks for one thing of each kind, and names every right that the API client's role lacks.
use connector_api::{
    Health, VendorError,
    health::{Check, Finding, Need, SIGN_IN},
};

use crate::client::Cipp;
use crate::rights;
use crate::types::Me;

/// Name, need, right, and what goes without it: rights that only `/api/me` tells of.
const RIGHTS: [(&str, Need, &str); 10] = [
    ("tenants", Need::Reading, rights::TENANTS),
    ("settings", Need::Reading, rights::SETTINGS),
    ("templates", Need::More, rights::STANDARDS),
    ("apply baselines", Need::More, rights::STANDARDS_WRITE),
    ("change people", Need::More, rights::PEOPLE_WRITE),
    ("change mailboxes", Need::More, rights::MAILBOXES_WRITE),
    ("mail domains", Need::More, rights::MAIL_DOMAINS),
    ("forwardings", Need::More, rights::MAILBOXES),
    ("verified domains", Need::More, rights::DOMAINS),
    ("alerts", Need::More, rights::ALERTS),
];

impl Cipp {
    /// Reads only: a token, who we are, the tenants, and one tenant's settings.
    pub async fn health_check(&self) -> Health {
        let mut health = Health::default();
        let signed_in = match self.sign_in().await {
            Ok(()) => self.me().await,
            Err(error) => Err(error),
        };
        let me = match signed_in {
            Ok(me) => me,
            Err(error) => {
                // An older deployment has no such end point, and a role may lack it: the tenants tell, then.
                let refused =
                    !matches!(error, VendorError::MissingCapability { .. } | VendorError::Forbidden { .. });
                if refused {
                    health.add(SIGN_IN, Need::Reading, Err(error));
                    return health;
                }
                health.add(SIGN_IN, Need::Reading, Ok(()));
                health.checked_at = Some(self.now());
                self.probe(&mut health).await;
                return health;
            }
        };
        health.add(SIGN_IN, Need::Reading, Ok(()));
        health.checked_at = Some(me.observed_at);
        for (name, need, right) in RIGHTS {
            let finding = if me.value.holds(right) {
                Finding::Ok
            } else {
                Finding::MissingRight(lacking(&me.value, right))
            };
            health.checks.push(Check { name, need, finding });
        }
        self.probe(&mut health).await;
        health
    }

    /// What a list of rights does not tell: whether the calls work, and whether the role is limited to some tenants.
    async fn probe(&self, health: &mut Health) {
        let tenants = self.tenants().await;
        let outcome = match tenants.walk.completeness {
            connector_api::Completeness::Partial { reason: connector_api::PartialReason::Stopped(error) } => {
                Err(error)
            }
            _ => Ok(()),
        };
        let listed = outcome.is_ok();
        health.add("list tenants", Need::Reading, outcome);
        if !listed {
            return;
        }
        if tenants.is_limited {
            let finding =
                Finding::MissingRight("the role of the API client is limited to some tenants".to_owned());
            health.checks.push(Check { name: "all tenants", need: Need::More, finding });
        }
        let readable = tenants
            .walk
            .items
            .iter()
            .filter(|it| !it.is_excluded && it.graph_error_count == 0 && !it.is_partner);
        let Some(domain) = readable.filter_map(|it| it.default_domain.as_deref()).next() else { return };
        let walk = self.standards_compare(domain).await;
        let outcome = match walk.completeness {
            // A deployment without standards is well.
            connector_api::Completeness::Partial {
                reason: connector_api::PartialReason::Stopped(VendorError::NotReady { .. }),
            } => Ok(()),
            connector_api::Completeness::Partial { reason: connector_api::PartialReason::Stopped(error) } => {
                Err(error)
            }
            _ => Ok(()),
        };
        health.add("read settings", Need::Reading, outcome);
    }
}

fn lacking(me: &Me, right: &str) -> String {
    match me.roles.as_slice() {
        [] => right.to_owned(),
        roles => format!("{right}; the API client has the role {}", roles.join(", ")),
    }
}
