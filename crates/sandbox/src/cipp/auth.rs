//! Who may call the deployment: a token for it, a role, and the tenants that the role may see.
use std::str::FromStr as _;

use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use uuid::Uuid;

use crate::graph::tenants::{Directory, Tenant};
use crate::world::{CippRole, World, later};

pub(crate) const TOKEN_LIFETIME_S: i64 = 3_599;
const TOKENS_MAX: usize = 10_000;

pub(crate) fn grant(world: &mut World, now: Timestamp) -> String {
    let tokens = &mut world.cipp.tokens;
    if tokens.len() >= TOKENS_MAX {
        tokens.retain(|_, expires| *expires > now);
    }
    let value = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    tokens.insert(value.clone(), later(now, TOKEN_LIFETIME_S));
    value
}

/// A token of another audience is as good as none.
pub(crate) fn is_known(world: &World, headers: &HeaderMap, now: Timestamp) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Bearer "));
    token.and_then(|token| world.cipp.tokens.get(token)).is_some_and(|expires| *expires > now)
}

impl CippRole {
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Readonly => "readonly",
            Self::Editor => "editor",
            Self::Limited => "Northern team",
        }
    }

    pub fn permissions(self) -> Vec<&'static str> {
        const READS: [&str; 13] = [
            "CIPP.Core.Read",
            "CIPP.Alert.Read",
            "Tenant.Directory.Read",
            "Tenant.DomainAnalyser.Read",
            "Tenant.Administration.Read",
            "Tenant.BestPracticeAnalyser.Read",
            "Tenant.Standards.Read",
            "Tenant.ConditionalAccess.Read",
            "Identity.User.Read",
            "Identity.Group.Read",
            "Exchange.Mailbox.Read",
            "Identity.Device.Read",
            "Security.Alert.Read",
        ];
        const WRITES: [&str; 2] = ["Identity.User.ReadWrite", "Exchange.Mailbox.ReadWrite"];
        let mut all = READS.to_vec();
        match self {
            Self::Readonly => {}
            Self::Editor => all.extend(WRITES),
            Self::Admin | Self::Limited => {
                all.extend(WRITES);
                all.push("Tenant.Standards.ReadWrite");
            }
        }
        all
    }

    pub fn may(self, right: &str) -> bool {
        let wide = right.strip_suffix(".Read").map(|stem| format!("{stem}.ReadWrite"));
        self.permissions().iter().any(|held| *held == right || wide.as_deref() == Some(*held))
    }

    /// A limited role sees the customers of even number.
    pub fn sees(self, tenant: &Tenant) -> bool {
        self != Self::Limited || tenant.organization_id.is_some_and(|id| id % 2 == 0)
    }
}

/// By default domain, or by id, as most end points take it.
pub(crate) fn named<'a>(directory: &'a Directory, filter: &str) -> Option<&'a Tenant> {
    match Uuid::from_str(filter) {
        Ok(id) => directory.tenants.get(&id),
        Err(_) => directory.tenants.values().find(|tenant| tenant.domain.eq_ignore_ascii_case(filter)),
    }
}
