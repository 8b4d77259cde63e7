//! Two tenants side by side.
use std::collections::BTreeSet;

use domain::drift::{same, text};
use kernel::{ApiError, Timestamp, id::CustomerId};
use pg::{Actor, Pg};
use serde_json::Value;
use store::drift::{self, Compared};
use uuid::Uuid;

use crate::access;

#[derive(Clone, Debug)]
pub struct Comparison {
    pub left: Side,
    pub right: Side,
    /// By category and name.
    pub settings: Vec<Compare>,
}

#[derive(Clone, Debug)]
pub struct Side {
    pub tenant: Uuid,
    pub name: String,
    pub customer: CustomerId,
    pub customer_name: String,
    /// When its settings were last read as a whole.
    pub observed_at: Option<Timestamp>,
    /// Why the last reading was not whole.
    pub reason: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Compare {
    pub setting: String,
    pub name: String,
    pub category: Option<String>,
    /// `None`: nothing was read of it.
    pub left: Option<Value>,
    pub right: Option<Value>,
    pub left_text: Option<String>,
    pub right_text: Option<String>,
    pub is: Likeness,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    Same,
    Differs,
    /// One side is not known.
    Unknown,
}

impl Likeness {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Differs => "differs",
            Self::Unknown => "unknown",
        }
    }
}

/// Both as they were last read. Needs `drift:read`; a tenant that the caller may not see is not found.
pub async fn compare(pg: &Pg, actor: &Actor, left: Uuid, right: Uuid) -> Result<Comparison, ApiError> {
    access::require_for_provider(pg, actor, "drift:read").await?;
    let tx = pg.act_as(actor).await?;
    let mut found = drift::compared(&tx, &[left, right]).await?;
    let names = drift::standards(&tx).await?;
    tx.rollback().await?;
    let mut take = |id: Uuid| {
        let place = found.iter().position(|it| it.id == id)?;
        Some(if left == right { found[place].clone() } else { found.swap_remove(place) })
    };
    let (left, right) =
        (take(left).ok_or_else(access::not_found)?, take(right).ok_or_else(access::not_found)?);
    let keys: BTreeSet<&String> = left.settings.keys().chain(right.settings.keys()).collect();
    let mut settings: Vec<Compare> = keys
        .into_iter()
        .map(|key| {
            let (name, category) =
                names.get(key).map_or((key.clone(), None), |(name, of)| (name.clone(), Some(of.clone())));
            one(key, name, category, &left, &right)
        })
        .collect();
    settings.sort_by(|a, b| (&a.category, &a.name).cmp(&(&b.category, &b.name)));
    Ok(Comparison { left: side(&left), right: side(&right), settings })
}

fn one(key: &str, name: String, category: Option<String>, left: &Compared, right: &Compared) -> Compare {
    let value = |side: &Compared| side.settings.get(key).map(|it| it.value.clone());
    let (left, right) = (value(left), value(right));
    let is = match (&left, &right) {
        (Some(left), Some(right)) if same(left, right) => Likeness::Same,
        (Some(_), Some(_)) => Likeness::Differs,
        _ => Likeness::Unknown,
    };
    let (left_text, right_text) = (left.as_ref().map(text), right.as_ref().map(text));
    Compare { setting: key.to_owned(), name, category, left, right, left_text, right_text, is }
}

fn side(of: &Compared) -> Side {
    Side {
        tenant: of.id,
        name: of.name.clone(),
        customer: of.customer,
        customer_name: of.customer_name.clone(),
        observed_at: of.observed_at,
        reason: of.part_reason.clone(),
    }
}
